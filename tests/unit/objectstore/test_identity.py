"""What Keystone is asked about a signature, and what its answers mean."""

import base64

import pytest
from keystoneauth1 import exceptions as ksa_exceptions

from nova.exception import ConfigurationError
from nova.objectstore.claim import Claim
from nova.objectstore.errors import Refusal
from nova.objectstore.faults import fault_of
from nova.objectstore.identity import KeystoneIdentity, keystone_identity

CLAIM = Claim(access="key", signature="sign", string_to_sign="GET\n\n\nnow\n/é")
TOKEN = {
    "token": {
        "user": {"id": "u", "name": "user", "domain": {"id": "default"}},
        "project": {"id": "p", "name": "project", "domain": {"id": "default"}},
        "roles": [{"name": "Member"}, {"name": "reader"}],
    }
}


class Answering:
    """A session that gives one answer and knows what was asked."""

    def __init__(self, status, url="http://keystone"):
        self.status_code, self._url = status, url
        self.asked = []

    def get_endpoint(self, **_):
        return self._url

    def post(self, url, **asked):
        self.asked.append((url, asked))
        if isinstance(self.status_code, Exception):
            raise self.status_code
        return self

    def json(self):
        return TOKEN


@pytest.mark.parametrize("url", ["http://keystone", "http://keystone/", "http://keystone/v3"])
def test_string_that_was_signed_is_put_to_keystone(url):
    session = Answering(200, url)
    context = KeystoneIdentity(session).verify(CLAIM)
    assert (context.user_id, context.project_id) == ("u", "p")
    assert context.roles == ("member", "reader")
    ((address, asked),) = session.asked
    assert address == "http://keystone/v3/s3tokens"
    found = asked["json"]["credentials"]
    assert base64.urlsafe_b64decode(found.pop("token")) == CLAIM.string_to_sign.encode()
    assert found == {"access": "key", "signature": "sign"}


def test_ec_03_library_does_not_log_the_signature():
    session = Answering(200)
    KeystoneIdentity(session).verify(CLAIM)
    assert session.asked[0][1]["log"] is False


@pytest.mark.logs_errors
@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        (404, "InvalidAccessKeyId", 403),
        (401, "SignatureDoesNotMatch", 403),
        (400, "SignatureDoesNotMatch", 403),
        (403, "ServiceUnavailable", 503),
        (500, "ServiceUnavailable", 503),
        (ksa_exceptions.ConnectFailure("down"), "ServiceUnavailable", 503),
        (ksa_exceptions.Unauthorized("own login"), "ServiceUnavailable", 503),
    ],
)
def test_ec_04_everything_but_a_good_answer_is_a_refusal(answer, code, status):
    with pytest.raises(Refusal) as caught:
        KeystoneIdentity(Answering(answer)).verify(CLAIM)
    fault = fault_of(caught.value)
    assert (fault.code, fault.status) == (code, status)


def test_service_user_must_be_configured(conf):
    with pytest.raises(ConfigurationError, match="service_user"):
        keystone_identity(conf)
