"""Who the server listens to."""

import pytest

from pages.components import entrance


@pytest.mark.parametrize("address", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_only_this_machine(address):
    assert entrance.is_loopback(address)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.0.2.7", "10.0.0.1", "localhost.example"])
def test_others_too(address):
    assert not entrance.is_loopback(address)
