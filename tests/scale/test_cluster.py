"""What is said where there is no Ray, or no cluster at the address."""

import os
import socket
import sys

import pytest

from leukemia.errors import ClusterError
from leukemia.scale import cluster


def test_without_ray_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"requirements-scale\.txt"), cluster.opened("", 1):
        pass


def test_ray_reports_nothing_to_its_makers():
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1", "127.0.0.1:0x", "127.0.0.1:99999999"])
def test_an_address_that_is_none_is_refused(address):
    pytest.importorskip("ray")
    with (
        pytest.raises(ClusterError, match=f"No Ray cluster answers at {address}"),
        cluster.opened(address, 1),
    ):
        pass


def test_where_nobody_listens_it_is_said_at_once():
    pytest.importorskip("ray")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(ClusterError, match=address), cluster.opened(address, 1):
            pass


def test_a_long_path_of_temporary_files_is_none_for_sockets(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster.tempfile, "gettempdir", lambda: str(tmp_path / "a" / "long" / "one"))
    assert str(cluster._short_place()) == "/tmp"
    monkeypatch.setattr(cluster.tempfile, "gettempdir", lambda: "/var/tmp")
    assert str(cluster._short_place()) == "/var/tmp"
