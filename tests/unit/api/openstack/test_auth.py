import pytest
import webob
from keystonemiddleware import opts as keystone_opts
from oslo_config import cfg

from nova import config, exception
from nova.api.openstack.auth import KeystoneContext, authentication, check_strategy
from nova.api.openstack.environment import CONTEXT_KEY, TOKEN_KEY, Environ, StartResponse
from nova.api.openstack.middleware import RequestIds
from nova.api.settings import ApiSettings
from nova.context import RequestContext
from nova.policy import Policy
from tests.fixtures.rest import empty_conf


@pytest.fixture(scope="module")
def policy() -> Policy:
    return Policy(empty_conf(), {})


def _enter(policy: Policy, **environ: str) -> tuple[RequestContext | None, Environ, list[str]]:
    seen: Environ = {}
    statuses: list[str] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.update(environ)
        return []

    whole = {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.7", **environ}
    stack = RequestIds(KeystoneContext(app, policy))
    list(stack(whole, lambda status, headers, *rest: statuses.append(status)))
    return seen.get(CONTEXT_KEY), seen, statuses


def test_the_context_holds_what_keystone_says(policy: Policy) -> None:
    context, environ, _ = _enter(
        policy,
        HTTP_X_USER_ID="u",
        HTTP_X_PROJECT_ID="p",
        HTTP_X_USER_NAME="alice",
        HTTP_X_ROLES="Member, reader",
        HTTP_X_AUTH_TOKEN="secret",
    )
    assert context is not None
    assert (context.user_id, context.project_id, context.user_name) == ("u", "p", "alice")
    assert context.roles == ("member", "reader")
    assert not context.is_admin
    assert context.remote_address == "192.0.2.7"
    assert environ[TOKEN_KEY] == "secret"
    assert "secret" not in repr(context)


def test_the_role_admin_makes_an_administrator(policy: Policy) -> None:
    context, _, _ = _enter(policy, HTTP_X_USER_ID="u", HTTP_X_ROLES="admin")
    assert context is not None and context.is_admin


def test_without_user_the_answer_is_401(policy: Policy) -> None:
    context, _, statuses = _enter(policy)
    assert context is None
    assert statuses == ["401 Unauthorized"]


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_az_11_noauth_starts_on_loopback(listen: str) -> None:
    check_strategy(ApiSettings(auth_strategy="noauth2", listen=listen))


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "192.0.2.1", "api.example", ""])
def test_az_11_noauth_refuses_other_addresses(listen: str, policy: Policy) -> None:
    settings = ApiSettings(auth_strategy="noauth2", listen=listen)
    with pytest.raises(exception.ConfigurationError, match="loopback"):
        authentication(settings, policy, empty_conf())


def test_az_11_the_override_is_explicit(policy: Policy) -> None:
    settings = ApiSettings(
        auth_strategy="noauth2", listen="0.0.0.0", allow_noauth_off_loopback=True
    )
    authentication(settings, policy, empty_conf())


def test_keystone_may_listen_anywhere() -> None:
    check_strategy(ApiSettings(auth_strategy="keystone", listen="0.0.0.0"))


def test_settings_are_read_from_options() -> None:
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    settings = ApiSettings.from_conf(conf)
    assert settings.auth_strategy == "keystone"
    assert (settings.listen_port, settings.max_limit, settings.max_body_bytes) == (
        8774,
        1000,
        114688,
    )


def _keystone_conf(**options: str) -> cfg.ConfigOpts:
    conf = empty_conf()
    for group, declared in keystone_opts.list_auth_token_opts():
        conf.register_opts(declared, group)
    for name, value in options.items():
        conf.set_override(name, value, "keystone_authtoken")
    return conf


@pytest.mark.parametrize("missing", ["auth_type", "www_authenticate_uri"])
def test_keystone_without_what_it_needs_does_not_start(policy: Policy, missing: str) -> None:
    options = {"auth_type": "none", "www_authenticate_uri": "http://identity.example"}
    del options[missing]
    with pytest.raises(exception.ConfigurationError, match=missing):
        authentication(ApiSettings(), policy, _keystone_conf(**options))


def test_keystone_refuses_requests_without_token(policy: Policy) -> None:
    conf = _keystone_conf(auth_type="none", www_authenticate_uri="http://identity.example")
    app = authentication(ApiSettings(), policy, conf)(lambda environ, start: [b"inside"])
    answer = webob.Request.blank("/v2.1/servers").get_response(app)
    assert answer.status_int == 401
    assert "http://identity.example" in answer.headers["WWW-Authenticate"]
    assert conf.keystone_authtoken.service_token_roles_required is True
