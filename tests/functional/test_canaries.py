"""IN-13: whatever fails below, and whatever its error says, users are told none of it."""

import contextlib
import dataclasses
import sqlite3

import pytest
import sqlalchemy as sa

from nova.exception import ImageServiceUnavailable
from tests.fixtures.cloud import IMAGE_ID
from tests.fixtures.rest import make_rest_app

CANARY = "canary-10.1.2.3-/etc/nova/nova.conf-SELECT"
PARTS = ("canary", "10.1.2.3", "/etc/nova", "SELECT", "Traceback", "host1", "host2", ".py")
BODY = {"name": "web", "flavorRef": "1", "imageRef": IMAGE_ID, "networks": "auto"}


def _assert_nothing_told(text):
    assert [part for part in PARTS if part in text] == []


def _requests(uuid):
    return [
        ("GET", "/servers/detail", None),
        ("GET", f"/servers/{uuid}", None),
        ("POST", "/servers", {"server": BODY}),
        ("POST", f"/servers/{uuid}/action", {"os-stop": None}),
        ("DELETE", f"/servers/{uuid}", None),
        ("GET", "/os-keypairs", None),
        ("GET", "/limits", None),
        ("GET", "/flavors/detail", None),
    ]


@contextlib.contextmanager
def _database_fails(cloud, error):
    def fail(*_args):
        raise error

    sa.event.listen(cloud.database.engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        sa.event.remove(cloud.database.engine, "before_cursor_execute", fail)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(CANARY),
        sqlite3.IntegrityError(CANARY),
        sa.exc.ProgrammingError("SELECT canary", {"x": CANARY}, Exception(CANARY)),
        OSError(2, CANARY, "/etc/nova/nova.conf"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_in_13_errors_of_the_database_tell_nothing(cloud, error):
    uuid = cloud.boot("tiny").uuid
    for method, path, body in _requests(uuid):
        with _database_fails(cloud, error):
            answer = cloud.rest.at("2.90").request(method, path, body)
        assert answer.status_int in (500, 503), (path, answer.text)
        _assert_nothing_told(answer.text)


def test_in_13_a_conductor_that_is_away_is_told_without_its_name(cloud):
    uuid = cloud.boot("tiny").uuid
    cloud.stop_conductor()
    for method, path, body in _requests(uuid):
        answer = cloud.rest.at("2.90").request(method, path, body)
        assert answer.status_int == 503
        _assert_nothing_told(answer.text)
        assert "conductor" not in answer.text


class BrokenImages:
    """An image service whose every answer is an error."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, name):
        def fail(*_args, **_kwargs):
            raise self._error

        return fail


@pytest.mark.parametrize(
    "error",
    [RuntimeError(CANARY), ImageServiceUnavailable(reason=CANARY)],
    ids=lambda error: type(error).__name__,
)
def test_in_13_errors_of_the_image_service_tell_nothing(cloud, error):
    app = make_rest_app(cloud.bus, BrokenImages(error))
    rest = dataclasses.replace(cloud.rest, app=app)
    for version, method, path, body in (
        ("2.37", "POST", "/servers", {"server": BODY}),
        ("2.1", "GET", "/images", None),
        ("2.1", "GET", f"/images/{IMAGE_ID}", None),
        ("2.1", "DELETE", f"/images/{IMAGE_ID}", None),
    ):
        answer = rest.at(version).request(method, path, body)
        assert answer.status_int in (500, 503), answer.text
        _assert_nothing_told(answer.text)


@pytest.mark.parametrize("operation", ["spawn", "power_off", "reboot_hard", "pause", "suspend"])
def test_in_13_errors_of_the_hypervisor_tell_nothing(cloud, operation):
    act = {
        "power_off": {"os-stop": None},
        "reboot_hard": {"reboot": {"type": "HARD"}},
        "pause": {"pause": None},
        "suspend": {"suspend": None},
    }
    server = None if operation == "spawn" else cloud.boot("tiny")
    for host in ("host1", "host2"):
        cloud.driver(host).fail_next(operation, RuntimeError(CANARY))
    if server is None:
        server = cloud.boot("tiny")
    else:
        server.act(act[operation])
    rest = cloud.rest.at("2.96")
    texts = [rest.get(f"/servers/{server.uuid}").text]
    actions = rest.get(f"/servers/{server.uuid}/os-instance-actions").json["instanceActions"]
    texts += [
        rest.get(f"/servers/{server.uuid}/os-instance-actions/{action['request_id']}").text
        for action in actions
    ]
    for text in texts:
        _assert_nothing_told(text)
    admin = cloud.rest.as_admin().at("2.96")
    paths = [f"/servers/{server.uuid}/os-instance-actions/{a['request_id']}" for a in actions]
    assert any("RuntimeError" in admin.get(path).text for path in paths)
