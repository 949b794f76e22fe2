"""AZ-09: how long a token is believed, with the real middleware and a service on loopback."""

import time

import pytest
import webob
from keystonemiddleware import opts as keystone_opts
from oslo_config import cfg

from nova.api.openstack.app import make_app
from nova.api.settings import ApiSettings
from nova.exception import ConfigurationError
from nova.image.memory import MemoryImageService
from nova.rpc.local import LocalBus
from tests.fixtures.rest import PROJECT
from tests.fixtures.token_service import token_service

CACHE_S = 2
PATIENCE_S = 10


@pytest.fixture
def identity():
    """Return a service of tokens with one for alice."""
    with token_service() as service:
        service.issue("good", "alice", PROJECT, "member", "reader")
        yield service


def _app(url, **options):
    conf = cfg.ConfigOpts()
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    for group, declared in keystone_opts.list_auth_token_opts():
        conf.register_opts(declared, group)
    settings = {"auth_type": "none", "www_authenticate_uri": url, **options}
    for name, value in settings.items():
        conf.set_override(name, value, "keystone_authtoken")
    from keystoneauth1 import loading

    loading.register_auth_conf_options(conf, "keystone_authtoken")
    conf.register_opts(loading.get_auth_plugin_conf_options("none"), "keystone_authtoken")
    conf.set_override("endpoint", url, "keystone_authtoken")
    return make_app(ApiSettings(), LocalBus(), MemoryImageService(), conf)


def _status(app, token, **headers):
    request = webob.Request.blank("/v2.1/extensions", headers={"X-Auth-Token": token, **headers})
    return request.get_response(app).status_int


def test_az_09_a_revoked_token_is_refused_after_the_bound_of_the_cache(identity):
    app = _app(identity.url, token_cache_time=CACHE_S)
    assert _status(app, "good") == 200
    asked = identity.validations
    assert _status(app, "good") == 200
    assert identity.validations == asked
    identity.revoke("good")
    began = time.monotonic()
    while _status(app, "good") == 200:
        assert time.monotonic() - began < PATIENCE_S
        time.sleep(0.2)
    assert _status(app, "good") == 401
    assert identity.validations > asked


def test_az_09_without_a_cache_a_revoked_token_is_refused_at_once(identity):
    app = _app(identity.url, token_cache_time=-1)
    assert _status(app, "good") == 200
    identity.revoke("good")
    assert _status(app, "good") == 401


def test_az_09_an_expired_token_is_refused_although_it_is_kept(identity):
    app = _app(identity.url, token_cache_time=300)
    identity.issue("short", "alice", PROJECT, "member", life_s=2)
    assert _status(app, "short") == 200
    began = time.monotonic()
    while _status(app, "short") == 200:
        assert time.monotonic() - began < PATIENCE_S
        time.sleep(0.2)
    assert _status(app, "short") == 401


@pytest.mark.parametrize("token", ["none", "good-", "GOOD", "x" * 5000])
def test_az_09_unknown_tokens_are_refused(identity, token):
    assert _status(_app(identity.url), token) == 401


@pytest.mark.parametrize("name", ["X-User-Id", "x_user_id", "X-Roles", "X-Identity-Status"])
def test_az_08_identity_headers_count_for_nothing_with_the_real_middleware(identity, name):
    app = _app(identity.url)
    values = {name: "Confirmed" if "Status" in name else "admin"}
    assert _status(app, "none", **values) == 401
    request = webob.Request.blank(
        "/v2.1/os-agents", headers={"X-Auth-Token": "good", "X-Roles": "admin", **values}
    )
    assert request.get_response(app).status_int == 403


def test_az_09_a_cache_that_others_can_write_to_needs_signatures(identity):
    with pytest.raises(ConfigurationError, match="memcache_security_strategy"):
        _app(identity.url, memcached_servers=["127.0.0.1:1"])


def test_az_09_the_bound_has_a_maximum(identity):
    with pytest.raises(ConfigurationError, match="token_cache_time"):
        _app(identity.url, token_cache_time=86400)
