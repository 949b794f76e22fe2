"""What Keystone is asked when a console is opened (CON-02), and what its answers mean."""

import json

import pytest
import requests
from keystoneauth1 import session, token_endpoint

from nova.consoleauth.identity import Anybody, KeystoneIdentity, identity_from_config
from nova.exception import ConfigurationError, IdentityUnavailable

KEYSTONE = "http://keystone.test/v3"
USER = "/v3/users/alice"
ROLES = "/v3/role_assignments"
ENABLED = (200, {"user": {"id": "alice", "enabled": True}})
MEMBER = (200, {"role_assignments": [{"role": {"id": "member"}}]})


class Keystone(requests.adapters.BaseAdapter):
    """Answers by path; what is not known is not found.  down: nobody listens."""

    def __init__(self, answers):
        super().__init__()
        self.answers = answers
        self.asked = []
        self.down = False

    def send(self, request, **kwargs):
        if self.down:
            raise requests.ConnectionError("refused")
        self.asked.append(request.path_url)
        status, document = self.answers.get(request.path_url.partition("?")[0], (404, {}))
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url
        response._content = json.dumps(document).encode()
        response.headers["Content-Type"] = "application/json"
        return response

    def close(self):
        pass

    def identity(self):
        transport = requests.Session()
        transport.mount("http://", self)
        own = session.Session(auth=token_endpoint.Token(KEYSTONE, "own"), session=transport)
        return KeystoneIdentity(own, KEYSTONE)


@pytest.fixture
def keystone():
    """Return a Keystone that has alice, enabled and with a role."""
    return Keystone({USER: ENABLED, ROLES: MEMBER})


def test_con_02_enabled_user_with_a_role_may(keystone):
    assert keystone.identity().may_act("alice", "p1")
    assert keystone.asked == [
        USER,
        f"{ROLES}?user.id=alice&scope.project.id=p1&effective",
    ]


def test_con_02_nothing_is_kept_between_two_questions(keystone):
    identity = keystone.identity()
    assert identity.may_act("alice", "p1")
    keystone.answers[ROLES] = (200, {"role_assignments": []})
    assert not identity.may_act("alice", "p1")


def test_con_02_disabled_user_may_not(keystone):
    keystone.answers[USER] = (200, {"user": {"id": "alice", "enabled": False}})
    assert not keystone.identity().may_act("alice", "p1")
    assert keystone.asked == [USER]


def test_con_02_deleted_user_may_not(keystone):
    del keystone.answers[USER]
    assert not keystone.identity().may_act("alice", "p1")


@pytest.mark.parametrize("answer", [(200, {"role_assignments": []}), (404, {})])
def test_con_02_user_without_a_role_in_the_project_may_not(keystone, answer):
    keystone.answers[ROLES] = answer
    assert not keystone.identity().may_act("alice", "p1")


def test_con_02_user_without_a_project_needs_to_be_enabled_only(keystone):
    assert keystone.identity().may_act("alice", None)
    assert keystone.asked == [USER]


def test_con_02_ids_are_nothing_but_ids_to_keystone(keystone):
    keystone.answers["/v3/users/..%2Fa%3Fb%26c"] = ENABLED
    assert keystone.identity().may_act("../a?b&c", "p/1&domain.id=x#y")
    assert keystone.asked == [
        "/v3/users/..%2Fa%3Fb%26c",
        f"{ROLES}?user.id=..%2Fa%3Fb%26c&scope.project.id=p%2F1%26domain.id%3Dx%23y&effective",
    ]


@pytest.mark.parametrize("path", [USER, ROLES])
@pytest.mark.parametrize("status", [300, 401, 403, 500, 503])
def test_con_02_keystone_that_does_not_tell_is_no_refusal_and_no_leave(keystone, path, status):
    keystone.answers[path] = (status, {})
    with pytest.raises(IdentityUnavailable, match=str(status)):
        keystone.identity().may_act("alice", "p1")


def test_con_02_keystone_that_is_away_is_no_refusal_and_no_leave(keystone):
    keystone.down = True
    with pytest.raises(IdentityUnavailable):
        keystone.identity().may_act("alice", "p1")


# --- From the configuration


def configure(conf, **options):
    """Set options, given as GROUP__NAME."""
    for name, value in options.items():
        group, _, option = name.partition("__")
        conf.set_override(option, value, group)


@pytest.mark.parametrize(
    "options", [{"consoleauth__check_identity": False}, {"api__auth_strategy": "noauth2"}]
)
def test_anybody_may_where_there_is_no_keystone_to_ask(conf, options):
    configure(conf, **{"api__auth_strategy": "keystone", **options})
    identity = identity_from_config(conf)
    assert isinstance(identity, Anybody)
    assert identity.may_act("nobody", "nowhere")


def test_credentials_are_asked_for_at_start(conf):
    configure(conf, api__auth_strategy="keystone")
    with pytest.raises(ConfigurationError, match="check_identity needs credentials"):
        identity_from_config(conf)


def test_unknown_kind_of_credentials_is_said_at_start(conf):
    configure(conf, api__auth_strategy="keystone", service_user__auth_type="nonesuch")
    with pytest.raises(ConfigurationError, match=r"credentials in \[service_user\]"):
        identity_from_config(conf)
