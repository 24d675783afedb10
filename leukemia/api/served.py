"""The model in service, loaded once and shared by all requests."""

import threading
from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.dataset import review_labels
from leukemia.dataset.catalog import manifest_parquet
from leukemia.inference import learned
from leukemia.inference.classifier import Classifier
from leukemia.inference.learned import Learned
from leukemia.registry.serving import InService, Watch


class Served:
    """What answers now; a version that is promoted answers within seconds. Safe to share between threads.

    Parameters
    ----------
    data : Path
        The data folder.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._watch = Watch()
        self._lock = threading.Lock()
        self._classifier: Classifier | None = None
        self._learned: tuple[object, Learned] | None = None

    def now(self) -> InService:
        """Which model answers; raises BundleError where there is none."""
        return self._watch.now()

    def classifier(self, bundle: Bundle) -> Classifier:
        """A model that :meth:`now` named, with its network."""
        with self._lock:
            if self._classifier is None or self._classifier.bundle.identity != bundle.identity:
                self._classifier = Classifier(bundle)
            return self._classifier

    def learned(self, bundle: Bundle) -> Learned:
        """Which cells a model learned from, as far as bundle and data folder say."""
        now = bundle.identity, manifest_parquet.stamp_if_any(self._data), review_labels.stamp(self._data)
        with self._lock:
            if self._learned is None or self._learned[0] != now:
                self._learned = now, learned.of(bundle, self._data)
            return self._learned[1]
