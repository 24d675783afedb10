"""What is said where there is no Ray, or no cluster at the address."""

import contextlib
import os
import socket
import sys
from types import SimpleNamespace

import pytest

from leukemia.errors import ClusterError
from leukemia.scale import cluster
from leukemia.storage import atomic


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


def test_rays_files_are_the_users_alone_and_those_of_a_killed_process_go(tmp_path, monkeypatch):
    left = tmp_path / ".partial-0123456789abcdef"
    (left / "session").mkdir(parents=True)
    os.utime(left, (0, 0))
    given = {}
    ray = SimpleNamespace(util=SimpleNamespace(get_node_ip_address=lambda: cluster.LOOPBACK))
    monkeypatch.setattr(cluster, "_short_place", lambda: tmp_path)
    monkeypatch.setattr(
        cluster, "_running", lambda _, how, trouble: contextlib.nullcontext(given.update(how))
    )
    with cluster._own(ray, 2):
        (folder,) = tmp_path.iterdir()
        assert given["_temp_dir"] == str(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
        os.utime(folder, (0, 0))
        atomic.sweep(tmp_path)
        assert folder.is_dir(), "it is in use"
    assert list(tmp_path.iterdir()) == []
