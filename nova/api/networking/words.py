"""What the modules of the Networking API share: ids, owners, times, wishes without meaning."""

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from nova import exception
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object
from nova.api.openstack.schema_types import TEXT255
from nova.objects.instance import Scope
from nova.policy import MEMBER, NETWORKING, READER

Wish = Mapping[str, Any]

# Nothing has so long a project; the text would not fit the database.
OWNER_KEYS = (Key("tenant_id", TEXT255), Key("project_id", TEXT255))


def resource(name: str, **rules: str) -> Resource:
    """Return a resource with the rules list, show, create, update, delete, or others as given."""
    usual = {"list": READER, "show": READER, "create": MEMBER, "update": MEMBER, "delete": MEMBER}
    return Resource(name, rules={**usual, **rules}, namespace=NETWORKING)


def read_only(name: str, rule: str = READER) -> Resource:
    """Return a resource that can be read alone, by those who pass a rule."""
    return Resource(name, rules={"list": rule, "show": rule}, namespace=NETWORKING)


def wrapped(name: str, *keys: Key) -> Object:
    """Return the body of a request: an object in its name."""
    return Object(Key(name, Object(*keys), required=True))


def is_uuid(text: str) -> bool:
    """Tell whether a text has the form of the ids of this API."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def is_id(text: str) -> bool:
    """Tell whether a text may be an id: this API's, or a number of the Compute API."""
    return is_uuid(text) or (text.isascii() and text.isdecimal())


def is_derived(text: str) -> bool:
    """Tell whether an id may be one that is made from other ids or names."""
    return is_uuid(text) and uuid.UUID(text).version == 5


def project_of(call: Call, wish: Wish) -> str:
    """Return whose the new object shall be: the caller's, or who he may name.

    Raises: PolicyNotAuthorized, InvalidInput.
    """
    own = call.context.project_id
    named = wish.get("project_id") or wish.get("tenant_id")
    if named and named != own:
        call.authorize(project_id=named)
    if not named and not own:
        raise exception.InvalidInput(reason="A project is needed.")
    return str(named or own)


def project_filter(call: Call) -> Scope:
    """Return the scope of a list: one project's when an administrator asks for it."""
    wanted = {*call.query.all("project_id"), *call.query.all("tenant_id")}
    if call.scope.project_id is None and len(wanted) == 1:
        return Scope(project_id=wanted.pop())
    return call.scope


def only(wish: Wish, **values: tuple[object, ...]) -> None:
    """Refuse values of attributes that can not be had otherwise than they are.

    Names are written with _ in place of a colon.  Raises: NetworkingUnsupported.
    """
    for name, value in wish.items():
        allowed = values.get(name.replace(":", "_"))
        if allowed is not None and value not in allowed:
            raise exception.NetworkingUnsupported(what=f"{name} {value!r}")


def unchanged(wish: Wish, document: Wish) -> None:
    """Refuse a change of an attribute.  Raises: NetworkingUnsupported."""
    for name, value in wish.items():
        if name in document and value != document[name]:
            raise exception.NetworkingUnsupported(what=f"changing {name}")


def moment(value: datetime.datetime | None) -> str | None:
    """Return the form that times have here."""
    return None if value is None else value.isoformat(timespec="seconds") + "Z"
