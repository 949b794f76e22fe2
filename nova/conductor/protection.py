"""Servers that are protected from being terminated by the EC2 API.

The protection is EC2's own: it says nothing to the Compute API, whose users would neither see
it nor be able to lift it, and who have locks.  A lock is no substitute for it: it forbids to
stop, start and reboot a server too.
"""

from collections.abc import Sequence

from nova.db import instance_details
from nova.db.engine import Transaction
from nova.exception import Ec2TerminationDisabled

_ITEM = "ec2_termination_disabled"
_ENDING = frozenset({"delete", "soft_delete"})


def protect_new(tx: Transaction, uuids: Sequence[str]) -> None:
    """Protect servers that have just been made."""
    instance_details.create_system(tx, uuids, _ITEM, "true")


def set_protected(tx: Transaction, instance_uuid: str, protected: bool) -> None:
    """Protect a server, or no longer."""
    if protected:
        instance_details.set_system(tx, instance_uuid, _ITEM, "true")
    else:
        instance_details.delete_system(tx, instance_uuid, _ITEM)


def protected_of(tx: Transaction, uuids: Sequence[str]) -> list[str]:
    """Return which servers are protected."""
    return instance_details.having_system(tx, uuids, _ITEM)


def check(tx: Transaction, uuids: Sequence[str], action: str) -> None:
    """Refuse an action that would end a protected server.  Raises: Ec2TerminationDisabled."""
    found = protected_of(tx, uuids) if action in _ENDING else []
    if found:
        raise Ec2TerminationDisabled(instance_uuid=found[0])
