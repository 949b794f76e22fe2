"""The quota that one server takes, and the error that names the limits in its way."""

from nova.conductor import transitions
from nova.conductor.settings import ConductorSettings
from nova.db import quotas
from nova.db.engine import Transaction
from nova.exception import TooManyInstances
from nova.objects.instance import Instance
from nova.objects.quota import UNLIMITED


def claim(tx: Transaction, settings: ConductorSettings, instance: Instance) -> None:
    """Count a server that was not counted.

    What was changed must be undone with the transaction when it raises TooManyInstances.
    """
    claim_amounts(tx, settings, instance, transitions.quota_of(instance.flavor))


def claim_amounts(
    tx: Transaction, settings: ConductorSettings, instance: Instance, amounts: dict[str, int]
) -> None:
    """Count what a server takes in addition to what is counted.

    What was changed must be undone with the transaction when it raises TooManyInstances.
    """
    if quotas.claim(tx, instance.project_id, instance.user_id, amounts, settings.quotas):
        return
    overs = _overs(tx, settings, instance, amounts)
    raise TooManyInstances(
        overs=", ".join(overs),
        requested=", ".join(str(amounts[name]) for name in overs),
        used=", ".join(str(used) for used, _limit in overs.values()),
        allowed=", ".join(str(limit) for _used, limit in overs.values()),
    )


def _overs(
    tx: Transaction, settings: ConductorSettings, instance: Instance, amounts: dict[str, int]
) -> dict[str, tuple[int, int]]:
    """Return what is used and allowed of the resources of which too little is left."""
    found: dict[str, tuple[int, int]] = {}
    project_id, user_id = instance.project_id, instance.user_id
    limits = quotas.limits(tx, project_id, settings.quotas)
    for owner, allowed in ((None, limits), (user_id, quotas.user_limits(tx, project_id, user_id))):
        used = quotas.usages(tx, project_id, owner)
        for name, amount in amounts.items():
            limit = allowed.get(name, UNLIMITED)
            if limit != UNLIMITED and used.get(name, 0) + amount > limit:
                found[name] = (used.get(name, 0), limit)
    return found
