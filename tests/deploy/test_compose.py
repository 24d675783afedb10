"""compose.yaml's services as plain processes: with their own commands, environment and health checks."""

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from leukemia import health, settings
from leukemia.settings import PROJECT, RESEARCH_USE
from pages.sections.performance import verify_form
from tests.support import deploy, postgres

PATIENCE = 300  # seconds; it only matters where something hangs
HOST, BASE = "leukemia.hospital.example", "/leukemia"
SETTINGS = {
    "LEUKEMIA_HOST": HOST,
    "LEUKEMIA_BASE_PATH": BASE,
    "POSTGRES_PASSWORD": "s3cret",
}
# A provider that is asked only once somebody signs in.
SIGN_IN = """
[auth]
redirect_uri = "https://leukemia.hospital.example/leukemia/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "leukemia"
client_secret = "none"
server_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("missing", ["LEUKEMIA_HOST", "POSTGRES_PASSWORD"])
def test_what_has_no_default_is_asked_for(missing):
    with pytest.raises(KeyError, match=f"{missing}: set it in .env"):
        deploy.compose(SETTINGS | {missing: ""})


def test_only_the_proxy_is_reached_from_outside_and_nothing_runs_with_more_than_it_needs():
    services = deploy.compose(SETTINGS)["services"]
    assert {name for name, one in services.items() if one.get("ports")} == {"proxy"}
    assert services["database"]["networks"] == services["rest"]["networks"] == ["inside"]
    for name in ("dashboard", "rest"):
        assert services[name]["read_only"] is True and services[name]["cap_drop"] == ["ALL"]
        assert int(services[name]["user"].partition(":")[0]) > 0
    for name, one in services.items():
        assert "build" in one or re.search(r":\d", one["image"]), f"{name} is not pinned"


def _container_user(folder, uid):
    """Have processes run as the container's user, where we are root and that user can start Python here."""
    if os.geteuid() != 0:
        return {}
    user = {"user": uid, "group": uid, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-c", "import yaml"], check=True, capture_output=True, **user)
    except (OSError, subprocess.CalledProcessError):
        return {}
    for path in (folder / "data", folder / "tmp"):
        os.chown(path, uid, uid)
    for path in folder.parents:
        # pytest's folders are closed to other users.
        if path.name.startswith("pytest-"):
            path.chmod(path.stat().st_mode | 0o055)
    folder.chmod(0o755)
    return user


class House:
    """What compose.yaml names, as plain processes on this machine."""

    def __init__(self, folder, database_url):
        self.folder, self.database_url = folder, database_url
        self.services = deploy.compose(SETTINGS)["services"]
        self.app = deploy.image(folder / "app")
        self.ports = {"dashboard": free_port(), "rest": free_port(), "proxy": free_port()}
        (folder / "data").mkdir()
        (folder / "tmp").mkdir()
        (folder / "sign_in.toml").write_text(SIGN_IN)
        self.laid_out = {path.relative_to(self.app) for path in self.app.rglob("*")}
        self.user = _container_user(folder, int(self.services["rest"]["user"].partition(":")[0]))

    def environment(self, name):
        """A service's environment, with the folders and addresses of this machine."""
        given = deploy.environment() | self.services[name]["environment"]
        here = {"/data": str(self.folder / "data"), "/run/secrets/sign_in": str(self.folder / "sign_in.toml")}
        out = {}
        for key, value in given.items():
            text = str(value)
            if text.startswith("/tmp"):
                text = str(self.folder / "tmp") + text.removeprefix("/tmp")
            out[key] = here.get(text, text)
        if "LEUKEMIA_DATABASE_URL" in out:
            assert "@database:5432/" in out["LEUKEMIA_DATABASE_URL"]
            out["LEUKEMIA_DATABASE_URL"] = self.database_url
        return deploy.plain_environment() | {"TMPDIR": str(self.folder / "tmp")} | out

    def command(self, name):
        return self._here(name, self.services[name]["command"])

    def health(self, name):
        kind, *command = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self._here(name, command)

    def _here(self, name, command):
        container = {"dashboard": "8501", "rest": "8600"}[name]
        assert command[0] == "python" and any(container in word for word in command)
        return [sys.executable, *(word.replace(container, str(self.ports[name])) for word in command[1:])]

    def run(self, name, *command):
        """Run a command as ``docker compose run`` does."""
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.app,
            env=self.environment(name),
            capture_output=True,
            text=True,
            check=False,
            **self.user,
        )

    def start(self, name):
        """Start a service; a context that ends it."""
        log = self.folder / f"{name}.txt"
        return Process(self, name, log)


class Process:
    def __init__(self, house, name, log):
        self.house, self.name, self.log = house, name, log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                house.command(name),
                cwd=house.app,
                env=house.environment(name),
                stdout=out,
                stderr=out,
                **house.user,
            )

    def __enter__(self):
        check, environment = self.house.health(self.name), self.house.environment(self.name)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            done = subprocess.run(
                check,
                cwd=self.house.app,
                env=environment,
                capture_output=True,
                check=False,
                **self.house.user,
            )
            if done.returncode == 0:
                return self
        self.__exit__()
        raise AssertionError(f"{self.name} did not become healthy:\n{self.log.read_text()}")

    def __exit__(self, *_):
        end(self.process)


def end(process):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    if reason := postgres.why_not():
        pytest.skip(reason)
    with postgres.running() as server:
        yield House(tmp_path_factory.mktemp("house"), server.new_database())


@pytest.fixture(scope="module")
def key(house):
    """A key, made as docs/operations.md says, without which REST does not start."""
    refused = house.run("rest", *house.command("rest")[1:])
    assert refused.returncode == 2 and "It was not started at 0.0.0.0." in refused.stderr, refused.stderr
    made = house.run("rest", "-m", "leukemia", "keys", "add", "laboratory", "--role", "reader")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture(scope="module")
def services(house, key):
    """REST and dashboard, healthy by their own checks, as another user who may write to data and tmp only."""
    with ExitStack() as stack:
        for name in ("rest", "dashboard"):
            stack.enter_context(house.start(name))
        yield house


def ask(url, host=HOST, context=None, **headers):
    request = urllib.request.Request(url, headers={"Host": host} | headers)
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.process
def test_rest_answers_under_its_name_and_path_and_keeps_its_records_in_postgresql(services, key):
    url = f"http://127.0.0.1:{services.ports['rest']}"
    bearer = {"Authorization": f"Bearer {key}"}
    status, text = ask(f"{url}{BASE}/api/v1/cases", **bearer)
    assert (status, json.loads(text)["cases"]) == (200, [])
    status, text = ask(f"{url}{BASE}/api/v1/cases", host="elsewhere.example", **bearer)
    assert status == 421 and "LEUKEMIA_HOSTS" in text
    engine = sa.create_engine(services.database_url.replace("://", "+psycopg2://"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT name FROM api_keys")).scalars().all() == ["laboratory"]
    engine.dispose()


@pytest.mark.process
def test_the_dashboard_answers_under_its_name_and_path(services):
    url = f"http://127.0.0.1:{services.ports['dashboard']}"
    status, text = ask(f"{url}{BASE}/")
    assert status == 200 and "<title>" in text
    status, text = ask(f"{url}{BASE}/", host="elsewhere.example")
    assert status == 403 and "cannot be used at this address" in text and "elsewhere.example" in text


@pytest.mark.process
def test_nothing_is_written_but_data_and_temporary_files(services):
    now = {path.relative_to(services.app) for path in services.app.rglob("*")}
    assert sorted(map(str, now - services.laid_out)) == []


@pytest.mark.process
def test_a_health_check_fails_where_nothing_answers(capsys):
    assert not health.answers(str(free_port()), "/health")
    assert "does not answer" in capsys.readouterr().err


@pytest.fixture(scope="module")
def proxy(services):
    """The proxy on the services, with a certificate of its own."""
    caddy = shutil.which("caddy")
    if not caddy:
        pytest.skip("no caddy here: install Debian's package caddy")
    folder = services.folder
    names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    pair = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *pair, *names],
        check=True,
        capture_output=True,
    )
    one = deploy.compose(SETTINGS)["services"]["proxy"]
    environment = deploy.plain_environment() | {
        name: str(value) for name, value in one["environment"].items()
    }
    environment |= {
        "LISTEN": f":{services.ports['proxy']}",
        "DASHBOARD": f"127.0.0.1:{services.ports['dashboard']}",
        "REST": f"127.0.0.1:{services.ports['rest']}",
        "CERTIFICATE": str(folder / "certificate.pem"),
        "CERTIFICATE_KEY": str(folder / "key.pem"),
        "XDG_DATA_HOME": str(folder / "caddy"),
        "XDG_CONFIG_HOME": str(folder / "caddy"),
    }
    (mount,) = one["volumes"]
    file, inside, _ = mount.split(":")
    command = [word.replace(inside, str(PROJECT / file)) for word in one["command"]]
    log = folder / "proxy.txt"
    with log.open("wb") as out:
        process = subprocess.Popen([caddy, *command[1:]], env=environment, stdout=out, stderr=out)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", services.ports["proxy"])) == 0:
                    break
            time.sleep(0.05)
        yield services
    finally:
        end(process)


def through(house, path, host=HOST, method="GET", body=None, **headers):
    """Ask the proxy over TLS, under the name of its certificate; status, headers and text."""
    context = ssl.create_default_context(cafile=house.folder / "certificate.pem")
    raw = socket.create_connection(("127.0.0.1", house.ports["proxy"]), 60)
    connection = http.client.HTTPSConnection(HOST, house.ports["proxy"], timeout=60)
    connection.sock = context.wrap_socket(raw, server_hostname=HOST)
    connection.request(method, path, body, {"Host": host} | headers)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, answer.headers, text


@pytest.mark.process
def test_the_proxy_leads_to_both_over_tls(proxy, key):
    status, headers, text = through(proxy, f"{BASE}/api/v1/models/in-service", Authorization=f"Bearer {key}")
    assert status == 200 and json.loads(text)["notice"] == RESEARCH_USE
    assert "max-age" in headers["strict-transport-security"]
    status, _, text = through(proxy, f"{BASE}/")
    assert status == 200 and "<title>" in text
    status, _, text = through(proxy, f"{BASE}/api/docs")
    assert status == 200 and f'"{BASE}/api/docs/assets/swagger-ui.css"' in text
    status, _, _ = through(proxy, f"{BASE}/api/docs/assets/swagger-ui.css")
    assert status == 200


@pytest.mark.process
def test_websockets_pass_the_proxy(proxy):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": f"https://{HOST}",
    }
    context = ssl.create_default_context(cafile=proxy.folder / "certificate.pem")
    with (
        socket.create_connection(("127.0.0.1", proxy.ports["proxy"]), 60) as raw,
        context.wrap_socket(raw, server_hostname=HOST) as stream,
    ):
        lines = [
            f"GET {BASE}/_stcore/stream HTTP/1.1",
            f"Host: {HOST}",
            *(f"{k}: {v}" for k, v in upgrade.items()),
        ]
        stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        assert stream.recv(4_096).startswith(b"HTTP/1.1 101 ")


@pytest.mark.process
def test_a_foreign_name_gets_a_sentence_from_the_proxy(proxy):
    status, _, text = through(proxy, "/", host="elsewhere.example")
    assert (status, text) == (421, f"This address is not served here. {RESEARCH_USE}")


def largest(config):
    """The sizes to which a configuration of the proxy limits what comes in, in its order."""
    if isinstance(config, dict):
        own = [config["max_size"]] if "max_size" in config else []
        return own + [size for value in config.values() for size in largest(value)]
    return [size for value in config for size in largest(value)] if isinstance(config, list) else []


@pytest.mark.process
def test_what_the_programs_take_passes_the_proxy():
    caddy = shutil.which("caddy")
    if not caddy:
        pytest.skip("no caddy here: install Debian's package caddy")
    told = subprocess.run(
        [caddy, "adapt", "--config", PROJECT / "deploy" / "Caddyfile"],
        capture_output=True,
        check=True,
        env=os.environ | {"LEUKEMIA_HOST": HOST, "LEUKEMIA_BASE_PATH": BASE, "LISTEN": ":443"},
    ).stdout
    rest, dashboard = largest(json.loads(told))
    around = 1024**2  # what a browser sends around a file
    assert rest >= settings.MAX_REQUEST_BYTES + around
    assert dashboard >= verify_form.MAX_UPLOAD * 1024**2 + around


@pytest.mark.process
def test_an_upload_that_is_too_large_is_refused_in_a_sentence(proxy, key):
    if not shutil.which("curl"):
        pytest.skip("no curl here")
    port, large = proxy.ports["proxy"], proxy.folder / "large"
    with large.open("wb") as file:
        file.truncate(300 * 1024**2)  # takes no space
    reach = ["--cacert", proxy.folder / "certificate.pem", "--resolve", f"{HOST}:{port}:127.0.0.1"]
    headers = ["-H", f"Authorization: Bearer {key}", "-H", "Content-Type: multipart/form-data; boundary=x"]
    address = f"https://{HOST}:{port}{BASE}/api/v1/classify"
    done = subprocess.run(
        ["curl", "-sS", *reach, "-X", "POST", *headers, "-T", large, address],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Send fewer images" in done.stdout, (done.stdout, done.stderr)
