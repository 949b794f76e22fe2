"""os-certificates: the whole way to nova-cert and its records."""

import logging
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from nova.conductor.rpcapi.certificates import ConductorCertificates
from nova.context import get_admin_context
from tests.fixtures.cloud import Cloud, make_cloud
from tests.fixtures.rest import PROJECT
from tests.fixtures.time import FrozenClock


@pytest.fixture
def cloud(frozen_clock: FrozenClock) -> Iterator[Cloud]:
    made = make_cloud(frozen_clock, hosts=1)
    made.start_cert()
    yield made
    made.close()


def _certificate(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


@pytest.mark.parametrize("body", [None, {}, {"ignored": 1}])
def test_a_user_gets_a_key_and_its_certificate(cloud: Cloud, body: object) -> None:
    root = cloud.rest.get("/os-certificates/root")
    assert (root.status_int, root.json["certificate"]["private_key"]) == (200, None)
    made = cloud.rest.post("/os-certificates", body)
    assert made.status_int == 200, made.text
    certificate = _certificate(made.json["certificate"]["data"])
    key = serialization.load_pem_private_key(
        made.json["certificate"]["private_key"].encode(), password=None
    )
    assert key.public_key() == certificate.public_key()
    certificate.verify_directly_issued_by(_certificate(root.json["certificate"]["data"]))
    records = cloud.bus.client(ConductorCertificates).anyone()
    (record,) = records.list_valid(get_admin_context(), PROJECT, "alice")
    assert record.certificate == made.json["certificate"]["data"]


def test_only_the_root_certificate_is_shown(cloud: Cloud) -> None:
    for other in ("1", "Root", "crl"):
        assert cloud.rest.get(f"/os-certificates/{other}").status_int == 501


def test_ec_11_private_keys_are_in_no_log(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = cloud.rest.post("/os-certificates", {})
    lines = made.json["certificate"]["private_key"].splitlines()
    assert caplog.text
    assert not any(line in caplog.text for line in lines)


def test_without_nova_cert_the_api_says_so(frozen_clock: FrozenClock) -> None:
    cloud = make_cloud(frozen_clock, hosts=1)
    try:
        assert cloud.rest.get("/os-certificates/root").status_int == 503
    finally:
        cloud.close()
