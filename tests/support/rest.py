"""The REST service as its own process."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from leukemia.settings import PROJECT

PATIENCE = 300  # seconds; it only matters where the service hangs


class Running:
    """The service as its own process, on a port of its own."""

    def __init__(self, folder, bundle, environment=os.environ, data=None):
        self.log, self.data = folder / "rest.txt", data or folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = dict(environment) | {
            "LEUKEMIA_DATA": str(self.data),
            "LEUKEMIA_MODEL": str(bundle),
        }
        command = [sys.executable, "-m", "leukemia", "serve", "--port", str(self.port)]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=self.environment, stdout=out, stderr=out
            )

    def __enter__(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/ready", timeout=30):
                    return self
            except urllib.error.URLError:
                time.sleep(0.1)
        self.stop()
        raise AssertionError(f"The service did not start:\n{self.log.read_text()}")

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
