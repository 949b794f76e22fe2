"""What the declarations of answers say, and that answers are held against them in all tests."""

import dataclasses
import datetime

import pytest
import webob

from nova.api.openstack.answers import Extended, items, named, one
from nova.api.openstack.app import RESOURCES
from nova.api.openstack.call import Call
from nova.api.openstack.description import describe
from nova.api.openstack.schema import Key
from nova.api.openstack.schema_types import STRING
from nova.api.openstack.versions import parse
from nova.api.openstack.views import ABSENT, Absent, Field, View
from tests.fixtures.described import Described, UndescribedAnswer
from tests.fixtures.rest import Rest


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    name: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    id: int
    secret: str
    sometimes: str | None
    late: datetime.datetime | None
    owner: Owner


def _made(thing: Thing, call: Call) -> str | Absent:
    return ABSENT


def _size(thing: Thing, call: Call) -> int | None:
    return None


THING = View(
    Thing,
    "thing",
    Field("id"),
    Field("secret", policy="x"),
    Field("sometimes", omit_if_none=True),
    Field("made", _made),
    Field("size", _size),
    Field("shape", lambda thing, call: "round", type=STRING),
    Field("owner", "owner.name"),
    Field("late", since="2.5"),
)
KEYPAIR = b'{"keypairs": [{"keypair": {"name": "a", "public_key": "b", "fingerprint": "c"%s}}]}'


def test_a_view_says_which_fields_its_documents_have() -> None:
    early, late = THING.at(parse("2.1")), THING.at(parse("2.5"))
    assert early["properties"] == {
        "id": {"type": "integer"},
        "secret": {"type": "string"},
        "sometimes": {"type": "string"},
        "made": {"type": "string"},
        "size": {"type": ["integer", "null"]},
        "shape": {"type": "string"},
        "owner": {"type": "string"},
    }
    assert early["required"] == ["id", "size", "shape", "owner"]
    assert late["required"] == ["id", "size", "shape", "owner", "late"]
    assert early["additionalProperties"] is False


def test_a_view_of_an_attribute_that_there_is_not_can_not_be_described() -> None:
    with pytest.raises(AttributeError):
        View(Thing, "thing", Field("color")).at(parse("2.1"))


def test_documents_of_lists_name_their_link_from_its_version_on() -> None:
    page = items("things", THING, "things_links", since="2.3")
    assert "things_links" not in page.at(parse("2.2"))["properties"]  # type: ignore[operator]
    assert "things_links" in page.at(parse("2.3"))["properties"]  # type: ignore[operator]


def test_documents_have_their_key_and_may_have_more() -> None:
    wrapped = one(THING, Key("note", {})).at(parse("2.1"))
    assert wrapped["required"] == ["thing"]
    inner = named("thing", Extended(THING, Key("password", {}))).at(parse("2.1"))
    assert "password" in inner["properties"]["thing"]["properties"]  # type: ignore[index]


def test_the_description_says_what_answers_contain() -> None:
    paths = describe(RESOURCES, parse("2.1"))["paths"]
    found = paths["/os-keypairs"]["get"]["responses"]["200"]["content"]["application/json"]
    entry = found["schema"]["properties"]["keypairs"]["items"]["properties"]["keypair"]
    assert set(entry["properties"]) == {"name", "public_key", "fingerprint"}


def _answering(status: int, body: bytes) -> Rest:
    headers = {"OpenStack-API-Version": "compute 2.1"}

    @webob.dec.wsgify
    def app(request: webob.Request) -> webob.Response:
        return webob.Response(status=status, body=body, headers=headers)

    return Rest(Described(app), version="2.1")


def test_an_answer_as_described_passes_in_tests() -> None:
    assert _answering(200, KEYPAIR % b"").get("/os-keypairs").status_int == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [(409, b"{}"), (204, b""), (200, KEYPAIR % b', "extra": 1'), (200, b"{}")],
)
def test_an_answer_that_is_not_described_fails_tests(status: int, body: bytes) -> None:
    with pytest.raises(UndescribedAnswer):
        _answering(status, body).get("/os-keypairs")
