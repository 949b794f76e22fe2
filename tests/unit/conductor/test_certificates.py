"""Records of certificates."""

from collections.abc import Iterator

import pytest

from nova.conductor import manager
from nova.conductor.rpcapi.certificates import MAX_CERTIFICATES, ConductorCertificates
from nova.conductor.settings import ConductorSettings
from nova.context import get_admin_context
from nova.exception import InvalidInput
from nova.objects.certificate import NewCertificate
from nova.rpc.local import LocalBus
from tests.fixtures.conductor import StatementCounter, make_database
from tests.fixtures.time import FrozenClock

CONTEXT = get_admin_context()


@pytest.fixture
def site() -> Iterator[tuple[ConductorCertificates, StatementCounter]]:
    database = make_database()
    counter = StatementCounter(database)
    bus = LocalBus()
    bus.serve(
        "conductor", "controller", manager.endpoints(ConductorSettings(), bus, database, bus)
    ).start()
    yield bus.client(ConductorCertificates).anyone(), counter
    bus.close()
    database.close()


def _new(number: int, user: str = "u", project: str = "p") -> NewCertificate:
    return NewCertificate(
        user_id=user, project_id=project, file_name=f"newcerts/{number}.pem", certificate="PEM"
    )


def test_records_are_listed_newest_first_and_bounded(
    site: tuple[ConductorCertificates, StatementCounter], frozen_clock: FrozenClock
) -> None:
    records, counter = site
    for number in range(MAX_CERTIFICATES + 5):
        records.add(CONTEXT, _new(number))
    assert len(counter.take()) == MAX_CERTIFICATES + 5
    found = records.list_valid(CONTEXT, project_id="p")
    assert len(counter.take()) == 1
    assert len(found) == MAX_CERTIFICATES
    assert found[0].file_name == f"newcerts/{MAX_CERTIFICATES + 4}.pem"
    assert found[0].created_at == frozen_clock.now


def test_records_are_found_by_user_and_by_project_until_they_are_revoked(
    site: tuple[ConductorCertificates, StatementCounter],
) -> None:
    records, counter = site
    for number, (user, project) in enumerate((("u", "p"), ("u", "q"), ("v", "p"))):
        records.add(CONTEXT, _new(number, user, project))
    counter.take()

    def found(**whose: str) -> set[str]:
        return {one.file_name[9] for one in records.list_valid(CONTEXT, **whose)}

    assert found(user_id="u") == {"0", "1"}
    assert found(project_id="p") == {"0", "2"}
    assert found(user_id="u", project_id="p") == {"0"}
    ids = tuple(one.id for one in records.list_valid(CONTEXT, user_id="u"))
    counter.take()
    records.mark_revoked(CONTEXT, ids)
    records.mark_revoked(CONTEXT, ids)
    assert len(counter.take()) == 2
    assert found(user_id="u") == set()
    assert found(project_id="p") == {"2"}


def test_nobodys_certificates_are_not_listed(
    site: tuple[ConductorCertificates, StatementCounter],
) -> None:
    with pytest.raises(InvalidInput):
        site[0].list_valid(CONTEXT)
