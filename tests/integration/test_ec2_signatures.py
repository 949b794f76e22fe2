"""Signatures of EC2 requests, checked by a real Keystone."""

import os
import urllib.parse

import pytest
import requests
from keystoneauth1 import session
from keystoneauth1.identity import v3

from nova.api.ec2.app import make_app
from nova.api.ec2.identity import KeystoneIdentity
from nova.api.ec2.settings import Ec2Settings
from nova.api.settings import ApiSettings
from nova.image.memory import MemoryImageService
from nova.rpc.local import LocalBus
from tests.fixtures.clients import Client
from tests.fixtures.ec2 import Ec2, Key, no_bundles, parse, refusal
from tests.fixtures.rest import empty_conf

_URL = os.environ.get("NOVA_TEST_KEYSTONE_URL", "")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not _URL, reason="no Keystone is named: eval $(tools/services up --dir DIR identity)"
    ),
]
ADMIN = Client("admin", "admin")
MEMBER = Client("demo", "demo")


ODD = {"Filter": [{"Name": "region-name", "Value": ["a b/é~*", "nova"]}]}


def _sent(ec2, form):
    method, version = form
    if version == "2":
        return ec2.version_2(method, "DescribeRegions", **ODD)
    sign = {"GET": ec2.get, "POST": ec2.post, "presigned": ec2.presigned}[method]
    return sign("DescribeRegions", **ODD)


@pytest.fixture(
    params=[("GET", "2"), ("POST", "2"), ("GET", "4"), ("POST", "4"), ("presigned", "4")]
)
def form(request):
    return request.param


def _project_and_user():
    access = MEMBER.api.session.auth.get_access(MEMBER.api.session)
    return access.project_id, access.user_id


@pytest.fixture(scope="module")
def key():
    """Give a user's access key."""
    project_id, user_id = _project_and_user()
    path = f"{_URL}/users/{user_id}/credentials/OS-EC2"
    made = MEMBER.api.session.post(path, json={"tenant_id": project_id}).json()["credential"]
    yield Key(made["access"], made["secret"], "demo", project_id)
    MEMBER.api.session.delete(f"{path}/{made['access']}")


@pytest.fixture(scope="module")
def bus():
    bus = LocalBus()
    yield bus
    bus.close()


@pytest.fixture(scope="module")
def ec2(key, bus):
    """Give the API, whose own questions the service user of compute asks."""
    return Ec2(_app(bus, session.Session(auth=_service_user())), key)


def _service_user():
    return v3.Password(
        auth_url=_URL,
        username="nova",
        password=os.environ["NOVA_TEST_PASSWORD"],
        project_name="service",
        user_domain_id="default",
        project_domain_id="default",
    )


def _app(bus, own):
    identity = KeystoneIdentity(f"{_URL}/ec2tokens", own, own.auth)
    settings = Ec2Settings(api=ApiSettings())
    images = MemoryImageService()
    bundles = no_bundles(bus, images)
    return make_app(settings, bus, images, bundles, empty_conf(), identity=identity)


def _refused(ec2, request):
    error = refusal(ec2.send(request))
    return error.status, error.code


def _rewrite(request, change):
    """Change the parameters of a request that has been signed."""
    body = request.method == "POST"
    text = request.body.decode() if body else request.query_string
    pairs = change(urllib.parse.parse_qsl(text, keep_blank_values=True))
    text = urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)
    if body:
        request.body = text.encode()
    else:
        request.query_string = text


def test_ec_01_each_kind_of_signature_is_accepted(ec2, form):
    assert parse("DescribeRegions", ec2.send(_sent(ec2, form)))["Regions"]


def test_ec_01_each_parameter_is_covered(ec2, form):
    """Alter, take away and repeat each parameter in turn; the order says nothing in a query."""
    names = []
    _rewrite(_sent(ec2, form), lambda pairs: names.extend(pairs) or pairs)
    for place, (name, value) in enumerate(names):
        for changed in ([(name, f"{value}x")], [], [(name, value)] * 2):
            request = _sent(ec2, form)
            _rewrite(
                request, lambda pairs, at=place, new=changed: [*pairs[:at], *new, *pairs[at + 1 :]]
            )
            status, code = _refused(ec2, request)
            assert status in (400, 401, 403), (name, changed)
            assert code in ("AuthFailure", "InvalidRequest", "RequestExpired"), (name, changed)


def test_ec_01_a_further_parameter_is_refused(ec2, form):
    request = _sent(ec2, form)
    _rewrite(request, lambda pairs: [*pairs, ("DryRun", "true")])
    assert _refused(ec2, request) == (401, "AuthFailure")


def test_ec_01_another_path_or_host_is_refused(ec2, form):
    for change in ({"path_info": "/services/Admin"}, {"host": "elsewhere:8773"}):
        request = _sent(ec2, form)
        for name, value in change.items():
            setattr(request, name, value)
        assert _refused(ec2, request) == (401, "AuthFailure")


def test_ec_01_a_wrong_secret_and_an_unknown_key(ec2, key):
    for wrong in (Key(key.access, "x", "", ""), Key("nobody", key.secret, "", "")):
        assert ec2.using(wrong).refused("DescribeRegions") == ("AuthFailure", 401)


def test_ec_03_users_have_no_signature_checked(ec2, key):
    """A signature that was seen is not to be exchanged for a token."""
    request = ec2.post("DescribeRegions")
    answer = ec2.send(request)
    assert "X-Subject-Token" not in answer.headers
    credentials = {"access": key.access, "signature": "x", "params": {}, "headers": {}}
    for token in (None, MEMBER.api.session.get_token()):
        headers = {"X-Auth-Token": token} if token else {}
        body = {"credentials": credentials}
        found = requests.post(f"{_URL}/ec2tokens", json=body, headers=headers, timeout=30)
        assert found.status_code in (401, 403)


def test_ec_04_a_lost_role_ends_a_key_at_once(ec2):
    project_id, user_id = _project_and_user()
    admin = ADMIN.api.session
    roles = admin.get(f"{_URL}/projects/{project_id}/users/{user_id}/roles").json()["roles"]
    assert ec2.call("DescribeRegions")
    try:
        for role in roles:
            admin.delete(f"{_URL}/projects/{project_id}/users/{user_id}/roles/{role['id']}")
        assert ec2.refused("DescribeRegions") == ("AuthFailure", 401)
    finally:
        for role in roles:
            admin.put(f"{_URL}/projects/{project_id}/users/{user_id}/roles/{role['id']}")
    assert ec2.call("DescribeRegions")


def test_a_revoked_token_of_the_service_is_renewed(key, bus):
    own = session.Session(auth=_service_user())
    ec2 = Ec2(_app(bus, own), key)
    assert ec2.call("DescribeRegions")
    own.delete(f"{_URL}/auth/tokens", headers={"X-Subject-Token": own.get_token()})
    assert ec2.call("DescribeRegions")
