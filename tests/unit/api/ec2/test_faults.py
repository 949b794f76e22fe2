"""Codes and statuses of errors."""

import pytest

from nova import exception
from nova.api.ec2.faults import code_of, fault_of, of_status


def _classes(cls):
    yield cls
    for below in cls.__subclasses__():
        yield from _classes(below)


# Errors of their own that other daemons have, and never send, depend on what was imported.
COMMON = {one for one in _classes(exception.NovaException) if one.__module__ == exception.__name__}


@pytest.mark.parametrize("cls", sorted(COMMON, key=str))
def test_each_class_has_a_code(cls):
    code, status = code_of(cls)
    assert code[0].isupper()
    assert 400 <= status < 600
    if cls not in (exception.NovaException, exception.NoValidHost):
        assert issubclass(cls, exception.Internal) == (status == 500), cls


def test_faults_of_ours_are_told_by_nothing_but_their_kind():
    for error in (
        ValueError("/etc/secret"),
        exception.UnsafePath(what="/etc/secret", reason="x"),
    ):
        fault = fault_of(error)
        assert (fault.code, fault.status) == ("InternalError", 500)
        assert "secret" not in fault.message


def test_which_service_is_away_is_for_administrators():
    error = exception.MessagingUnavailable()
    assert "bus" not in fault_of(error).message
    assert "bus" in fault_of(error, is_admin=True).message


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("i", "InvalidInstanceID.NotFound"),
        ("ami", "InvalidAMIID.NotFound"),
        ("aki", "InvalidAMIID.NotFound"),
        ("vol", "InvalidVolume.NotFound"),
        ("snap", "InvalidSnapshot.NotFound"),
        ("sg", "InvalidGroup.NotFound"),
    ],
)
def test_ids(kind, code):
    fault = fault_of(exception.Ec2IdNotFound(kind=kind, given=f"{kind}-1"))
    assert (fault.code, fault.status) == (code, 404)


def test_quotas():
    groups = exception.QuotaExceeded(resource="security_groups", allowed=1)
    assert fault_of(groups).code == "SecurityGroupLimitExceeded"
    keys = exception.QuotaExceeded(resource="key_pairs", allowed=1)
    assert fault_of(keys).code == "ResourceLimitExceeded"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidRequest"),
        (413, "InvalidRequest"),
        (429, "RequestLimitExceeded"),
        (500, "InternalError"),
    ],
)
def test_answers_of_shared_middleware(status, code):
    assert of_status(status).code == code
