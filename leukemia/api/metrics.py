"""What the service counts, for Prometheus: requests, answers, the model. Never a name, an image or a case."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from leukemia.registry.serving import InService

# Seconds: a question for a model's name takes milliseconds, 500 images about a minute.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
# The route of a request that no route fits.
NO_ROUTE = "none"
# Methods of HTTP; whatever else is sent is counted as one.
METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})
OTHER_METHOD = "other"


class Metrics:
    """A registry of its own, so that several services in one process do not count together."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        own = {"registry": self.registry, "namespace": "leukemia"}
        self.requests = Counter(
            "http_requests", "Requests that were answered.", ("method", "route", "status"), **own
        )
        self.seconds = Histogram(
            "http_request_seconds",
            "Seconds until a request was answered.",
            ("route",),
            buckets=BUCKETS,
            **own,
        )
        self.running = Gauge("http_requests_running", "Requests that are being answered.", **own)
        self.answers = Counter("answers", "Images and cells that were answered.", ("decision",), **own)
        self.verdicts = Counter("verdicts", "Verdicts that were given.", ("verdict",), **own)
        self.model = Gauge(
            "model_in_service", "1 for the model that answers.", ("name", "version", "sha256"), **own
        )

    def serves(self, serving: InService) -> None:
        """Note which model answers."""
        self.model.clear()
        self.model.labels(serving.bundle.name, str(serving.version or ""), serving.bundle.digest).set(1)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
