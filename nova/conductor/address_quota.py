"""The quota of fixed addresses, counted rather than kept: servers get addresses with a host.

Source: security-checklist IN-09.
"""

from nova.db import fixed_ips, quotas
from nova.db.engine import Transaction
from nova.exception import QuotaExceeded
from nova.objects.quota import UNLIMITED

RESOURCE = "fixed_ips"


def limit_of(tx: Transaction, project_id: str, defaults: dict[str, int]) -> int:
    """Return how many fixed addresses a project may have."""
    return quotas.limits(tx, project_id, defaults)[RESOURCE]


def check(tx: Transaction, project_id: str, limit: int, more: int) -> None:
    """Refuse more addresses than a project may have.

    Servers that wait for a host count with one address each.  The caller holds the rows of
    the project's usage, so that no other request of it is between its check and its commit.
    Raises: QuotaExceeded.
    """
    if limit == UNLIMITED:
        return
    if fixed_ips.count_of_project(tx, project_id) + more > limit:
        raise QuotaExceeded(resource="fixed IP addresses", allowed=limit)
