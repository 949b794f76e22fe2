"""os-keypairs: public keys of users."""

import dataclasses

from nova.api.core import keys
from nova.api.openstack.answers import items, one
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Json, Key, Object, Param, Query
from nova.api.openstack.schema_types import NAME, NONNEGATIVE, NULL, STRING, TRUE_OR_FALSE
from nova.api.openstack.views import Field, View
from nova.objects.keypair import Keypair, NewKeypair
from nova.policy import OWNER

keypairs = Resource(
    "os-keypairs", rules={"index": OWNER, "show": OWNER, "create": OWNER, "delete": OWNER}
)

_KEY_NAME: Json = {**NAME, "pattern": r"^[_\- a-zA-Z0-9]+\Z"}
_KEY_NAME_292: Json = {**NAME, "pattern": r"^[_\-\. @a-zA-Z0-9]+\Z"}
_TYPE: Json = {"type": "string", "enum": ["ssh", "x509"]}

CREATE = Object(
    Key(
        "keypair",
        Object(
            Key("name", NAME, required=True, until="2.0"),
            Key("name", _KEY_NAME, required=True, since="2.1", until="2.91"),
            Key("name", _KEY_NAME_292, required=True, since="2.92"),
            Key("public_key", STRING, until="2.91"),
            Key("public_key", STRING, required=True, since="2.92"),
            Key("type", _TYPE, since="2.2"),
            Key("user_id", STRING, since="2.10"),
        ),
        required=True,
    )
)
USER = Query(Param("user_id", since="2.10", repeat=True), strict_since="2.75")
PAGE = Query(
    Param("user_id", since="2.10", repeat=True),
    Param("limit", NONNEGATIVE, since="2.35", repeat=True),
    Param("marker", since="2.35", repeat=True),
    strict_since="2.75",
)

_COMMON: tuple[Field[Keypair], ...] = (
    Field("name"),
    Field("public_key"),
    Field("fingerprint"),
    Field("type", since="2.2"),
)
LISTED = View(Keypair, "keypair", *_COMMON)
CREATED = View(
    Keypair,
    "keypair",
    *_COMMON,
    Field("user_id"),
    Field("private_key", until="2.91", omit_if_none=True),
)
SHOWN = View(
    Keypair,
    "keypair",
    *_COMMON,
    Field("user_id"),
    Field("id"),
    Field("created_at"),
    Field("updated_at"),
    Field("deleted", lambda keypair, call: False, type=TRUE_OR_FALSE),
    Field("deleted_at", lambda keypair, call: None, type=NULL),
)


def _user_of(call: Call, given: str | None) -> str:
    """Return whose keys the request is about.

    Raises: PolicyNotAuthorized.
    """
    user_id = given or call.context.user_id or ""
    call.authorize(user_id=user_id)
    return user_id


@keypairs.route(
    "GET /os-keypairs",
    policy="index",
    query=PAGE,
    answer=items("keypairs", one(LISTED), "keypairs_links", since="2.35"),
)
def index(call: Call) -> dict[str, object]:
    """List a user's key pairs by name."""
    user_id = _user_of(call, call.query.get("user_id"))
    limit = call.page_limit()
    found = call.conductor.keypairs.page(
        call.context, user_id, limit=limit, marker=call.query.get("marker")
    )
    body: dict[str, object] = {"keypairs": [LISTED.render(keypair, call) for keypair in found]}
    more = call.next_link(len(found), found[-1].name if found else None, since="2.35")
    if more:
        body["keypairs_links"] = more
    return body


@keypairs.route(
    "POST /os-keypairs",
    policy="create",
    ok=200,
    until="2.1",
    body=CREATE,
    errors=409,
    answer=one(CREATED),
)
@keypairs.route(
    "POST /os-keypairs",
    policy="create",
    ok=201,
    since="2.2",
    body=CREATE,
    errors=409,
    answer=one(CREATED),
)
def create(call: Call) -> dict[str, object]:
    """Import a public key, or make a pair and return its private half."""
    wanted = call.body["keypair"]
    kind = wanted.get("type", "ssh")
    user_id = _user_of(call, wanted.get("user_id"))
    material = _material(kind, wanted.get("public_key"), user_id)
    stored = call.conductor.keypairs.create(
        call.context,
        NewKeypair(
            name=wanted["name"],
            user_id=user_id,
            public_key=material.public_key,
            fingerprint=material.fingerprint,
            type=kind,
        ),
    )
    return CREATED.render(dataclasses.replace(stored, private_key=material.private_key), call)


def _material(kind: str, public_key: str | None, user_id: str) -> keys.KeyMaterial:
    if kind == "x509":
        return keys.import_x509(public_key) if public_key else keys.generate_x509(user_id)
    return keys.generate_ssh() if public_key is None else keys.import_ssh(public_key)


@keypairs.route("GET /os-keypairs/{id}", policy="show", query=USER, answer=one(SHOWN))
def show(call: Call) -> dict[str, object]:
    """Show a key pair."""
    user_id = _user_of(call, call.query.get("user_id"))
    return SHOWN.render(call.conductor.keypairs.get(call.context, user_id, call.args["id"]), call)


@keypairs.route("DELETE /os-keypairs/{id}", policy="delete", ok=202, until="2.1", query=USER)
@keypairs.route("DELETE /os-keypairs/{id}", policy="delete", ok=204, since="2.2", query=USER)
def delete(call: Call) -> None:
    """Delete a key pair; servers made with it keep their copy of the key."""
    user_id = _user_of(call, call.query.get("user_id"))
    call.conductor.keypairs.delete(call.context, user_id, call.args["id"])
