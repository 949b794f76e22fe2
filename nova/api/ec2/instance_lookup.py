"""Instances that requests name, looked up within what the caller may see."""

import dataclasses
import datetime
from collections.abc import Sequence
from contextlib import AbstractContextManager

from nova import clock, exception
from nova.api.ec2 import ids
from nova.api.ec2.action import Ec2Call
from nova.api.ec2.params import invalid
from nova.objects.ec2 import DescribedInstances, InstancesQuery
from nova.objects.instance import Instance, Scope

# As long as AWS goes on telling of instances that have ended.
SHOWN_AFTER_END = datetime.timedelta(hours=1)


def query(call: Ec2Call, scope: Scope, numbers: Sequence[int] = ()) -> InstancesQuery:
    """Return the question for instances, recently ended ones too."""
    return InstancesQuery(
        scope=scope,
        numbers=tuple(numbers),
        deleted_since=clock.utcnow() - SHOWN_AFTER_END,
    )


def own_page(call: Ec2Call, marker: str | None) -> InstancesQuery:
    """Return the question for the project's instances behind a marker.

    Those of others are there for administrators who name them.  Raises: Ec2ParameterInvalid.
    """
    project_id = call.scope.project_id or call.context.project_id
    after_created_at, after_id = _after(marker) if marker else (None, None)
    return dataclasses.replace(
        query(call, Scope(project_id=project_id)),
        after_created_at=after_created_at,
        after_id=after_id,
    )


def marker_of(last: Instance) -> str:
    """Return what says behind which instance a page begins."""
    assert last.created_at is not None, "servers that are stored have a time"
    return f"{clock.isoformat(last.created_at)}/{last.id}"


def _after(marker: str) -> tuple[datetime.datetime, int]:
    """Return what a marker says of the last instance.  Raises: Ec2ParameterInvalid."""
    moment, _, number = marker.partition("/")
    try:
        return clock.parse(moment), int(number[:9])
    except ValueError as error:
        raise invalid("NextToken", "it was not given out here") from error


def described(
    call: Ec2Call, given: Sequence[str], *, with_protection: bool = False
) -> DescribedInstances:
    """Return the instances that have some ids, in the order of the ids.

    with_protection: tell too which may not be terminated.
    Raises: Ec2IdMalformed, Ec2IdNotFound, as for one that is somebody else's.
    """
    numbers = {ids.number_of(ids.INSTANCE, text): text for text in given}
    asked = query(call, call.scope, tuple(numbers))
    asked = dataclasses.replace(asked, with_protection=with_protection)
    found = call.ec2.page_instances(call.context, asked)
    by_number = {instance.id: instance for instance in found.instances}
    for number, text in numbers.items():
        if number not in by_number:
            raise exception.Ec2IdNotFound(kind=ids.INSTANCE, given=text)
    return dataclasses.replace(found, instances=tuple(by_number[number] for number in numbers))


def resolve(call: Ec2Call, given: Sequence[str]) -> tuple[Instance, ...]:
    """Return the instances that have some ids.  Raises: as described()."""
    return described(call, given).instances


def live(call: Ec2Call, given: str) -> Instance:
    """Return an instance that has not ended.  Raises: as described()."""
    (instance,) = resolve(call, [given])
    if instance.deleted:
        raise exception.Ec2IdNotFound(kind=ids.INSTANCE, given=given)
    return instance


def named(*instances: Instance) -> AbstractContextManager[None]:
    """Let errors about instances name them by their ids."""
    return ids.instances_named({one.uuid: id_of(one) for one in instances})


def id_of(instance: Instance) -> str:
    """Return the id of an instance."""
    return ids.compose(ids.INSTANCE, instance.id)
