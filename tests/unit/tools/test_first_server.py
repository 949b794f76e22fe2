"""How the quick start finds the way to its servers."""

import pytest
from standup import first_server
from standup.errors import StandupError

FIXED = {"addr": "10.0.0.4", "version": 4, "OS-EXT-IPS:type": "fixed"}
FLOATING = {"addr": "203.0.113.7", "version": 4, "OS-EXT-IPS:type": "floating"}


class StubSession:
    """A Compute API with one server."""

    def __init__(self, addresses):
        server = {"id": "1", "name": "second", "status": "ACTIVE", "addresses": addresses}
        self.answer = {"servers": [server], "server": server}

    def get(self, url):
        return self.answer


class StubSettings:
    compute_url = "http://compute"


class StubCloud:
    """A cloud with one server."""

    settings = StubSettings()

    def __init__(self, addresses):
        self.addresses = addresses

    def session(self, user):
        return StubSession(self.addresses)


def test_up_again_after_a_server_lost_its_address():
    assert first_server.boot(StubCloud({"private": []}), "second") == "second at no address"


def test_a_floating_address_comes_first():
    cloud = StubCloud({"private": [FIXED, FLOATING]})
    assert first_server.boot(cloud, "second") == "second at 203.0.113.7"


def test_login_needs_an_address():
    with pytest.raises(StandupError, match="second has no address"):
        first_server.address_of({"name": "second", "addresses": {}})
