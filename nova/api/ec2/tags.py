"""Tags of instances, which are the metadata of servers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nova import exception
from nova.api.ec2 import ids, instance_lookup
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.filters import Filters
from nova.api.ec2.instance_lookup import id_of, named, resolve
from nova.api.ec2.params import TEXT, Param, invalid
from nova.objects.ec2 import TagPattern
from nova.objects.instance import Instance

tags = Family()

INSTANCE = "instance"
_LONGEST_KEY = 127
_LONGEST_VALUE = 255
_RESERVED = "aws:"

RESOURCES = Param("ResourceId", type=TEXT, many=True, required=True)
_TAG = (Param("Key", type=TEXT, required=True), Param("Value", type=TEXT))
SPECIFICATIONS = Param(
    "TagSpecification",
    many=True,
    fields=(Param("ResourceType", type=TEXT), Param("Tag", many=True, fields=_TAG)),
)

Pair = tuple[Instance, str]


def checked(given: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return tags by their keys.  Raises: Ec2ParameterInvalid."""
    found: dict[str, str] = {}
    for tag in given:
        key, value = tag["Key"], tag["Value"] or ""
        if not 0 < len(key) <= _LONGEST_KEY or key.startswith(_RESERVED):
            raise invalid("Tag", f"a key has up to {_LONGEST_KEY} characters and no {_RESERVED}")
        if len(value) > _LONGEST_VALUE:
            raise invalid("Tag", f"a value has up to {_LONGEST_VALUE} characters")
        if not (key + value).isprintable():
            raise invalid("Tag", "there are no control characters in tags")
        found[key] = value
    return found


def for_instances(specifications: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the tags for new instances.  Raises: Ec2ParameterInvalid, Ec2NotSupported."""
    found: dict[str, str] = {}
    for specification in specifications:
        if specification["ResourceType"] != INSTANCE:
            raise exception.Ec2NotSupported(what="tags of anything but instances")
        found |= checked(specification["Tag"])
    return found


def _instances(call: Ec2Call) -> tuple[Instance, ...]:
    """Return the live instances that a request names.

    Raises: Ec2ParameterInvalid, Ec2IdMalformed, Ec2IdNotFound.
    """
    given = call.params["ResourceId"]
    for text in given:
        if not text.startswith(f"{ids.INSTANCE}-"):
            raise invalid("ResourceId", "only instances have tags here")
    found = resolve(call, given)
    for instance in found:
        if instance.deleted:
            raise exception.Ec2IdNotFound(kind=ids.INSTANCE, given=id_of(instance))
    return found


@tags.action(
    "CreateTags",
    RESOURCES,
    Param("Tag", many=True, required=True, fields=_TAG),
    policy="server-metadata:create",
    changes=True,
)
def create_tags(call: Ec2Call) -> Result:
    """Add tags to instances, or replace them."""
    wanted = checked(call.params["Tag"])
    found = _instances(call)
    with named(*found):
        call.ec2.set_tags(call.context, call.scope, _uuids(found), wanted)
    return None


@tags.action(
    "DeleteTags",
    RESOURCES,
    Param("Tag", many=True, fields=_TAG),
    policy="server-metadata:delete",
    changes=True,
)
def delete_tags(call: Ec2Call) -> Result:
    """Take tags off instances: those named, of a value if one is given, or all of them."""
    wanted = tuple(TagPattern(key=tag["Key"], value=tag["Value"]) for tag in call.params["Tag"])
    found = _instances(call)
    with named(*found):
        call.ec2.delete_tags(call.context, call.scope, _uuids(found), wanted)
    return None


def _uuids(found: Iterable[Instance]) -> tuple[str, ...]:
    return tuple(one.uuid for one in found)


_FILTERS: Filters[Pair] = Filters(
    {
        "resource-id": lambda pair: [id_of(pair[0])],
        "resource-type": lambda pair: [INSTANCE],
        "key": lambda pair: [pair[1]],
        "value": lambda pair: [pair[0].metadata[pair[1]]],
    },
    tags=lambda pair: {pair[1]: pair[0].metadata[pair[1]]},
)


@tags.action("DescribeTags", policy="server-metadata:index", filtered=True, paged=True)
def describe_tags(call: Ec2Call) -> Result:
    """List the tags of the project's instances."""
    wanted = _FILTERS.read(call.params["Filter"])
    limit, marker = call.page()
    after, skipped = _place(marker)
    found = call.ec2.page_instances(call.context, instance_lookup.own_page(call, after))
    pairs = [(one, key) for one in found.instances for key in sorted(one.metadata)]
    shown: list[Pair] = []
    for place, pair in enumerate(pairs[skipped:], skipped):
        if len(shown) == limit:
            return _tag_set(shown, call.next_token(f"{after}#{place}"))
        if _FILTERS.accept(wanted, pair):
            shown.append(pair)
    last = instance_lookup.marker_of(found.instances[-1]) if found.more else None
    return _tag_set(shown, call.next_token(None if last is None else f"{last}#0"))


def _place(marker: str | None) -> tuple[str, int]:
    """Return behind which instance a page begins, and after how many tags.

    Raises: Ec2ParameterInvalid.
    """
    after, _, skipped = (marker or "#0").rpartition("#")
    if not re.match(r"[0-9]{1,9}\Z", skipped, re.ASCII):
        raise invalid("NextToken", "it was not given out here")
    return after, int(skipped)


def _tag_set(shown: Sequence[Pair], token: str | None) -> Result:
    return {
        "tagSet": [
            {
                "resourceId": id_of(instance),
                "resourceType": INSTANCE,
                "key": key,
                "value": instance.metadata[key],
            }
            for instance, key in shown
        ],
        "nextToken": token,
    }
