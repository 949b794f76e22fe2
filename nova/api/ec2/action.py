"""Actions of the EC2 API: each is one function with its declaration.

    @addresses.action("AllocateAddress", Param("Domain", type=TEXT), policy=RULE, changes=True)
    def allocate_address(call: Ec2Call) -> Result: ...

The result holds the elements of the answer by their names on the wire; None says "done".
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nova.api.core.bundles import Bundles
from nova.api.core.caller import Caller
from nova.api.ec2.filters import FILTER
from nova.api.ec2.paging import PAGE, marker_of, size_of, token_of
from nova.api.ec2.params import BOOLEAN, Param
from nova.api.ec2.settings import Ec2Settings
from nova.conductor.rpcapi.ec2 import ConductorEc2
from nova.policy import NAMESPACE, full_name

Result = Mapping[str, Any] | None
DRY_RUN = Param("DryRun", type=BOOLEAN, default=False)


@dataclasses.dataclass(slots=True, kw_only=True)
class Ec2Call(Caller):
    """One request as actions see it.

    params: the values of what the action declares, by name.
    """

    action: "Action"
    settings_ec2: Ec2Settings
    ec2: ConductorEc2
    bundles: Bundles
    params: Mapping[str, Any]

    def page(self) -> tuple[int, str | None]:
        """Return how many things may be told, and the marker behind which they begin.

        Raises: Ec2ParameterInvalid.
        """
        marker = marker_of(self.action.name, self.params["NextToken"])
        return size_of(self.params["MaxResults"]), marker

    def next_token(self, marker: str | None) -> str | None:
        """Return what the answer says of the page behind a marker, None without one."""
        return None if marker is None else token_of(self.action.name, marker)


Handler = Callable[[Ec2Call], Result]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action.

    rule: full name of the policy rule, which is one of the Compute API's; None: anybody may.
    changes: it acts, and therefore once for each signature.
    secret: its answer is not kept for repetitions.
    """

    name: str
    params: tuple[Param, ...]
    rule: str | None
    changes: bool
    secret: bool
    handler: Handler


class Family:
    """The actions of one module."""

    def __init__(self) -> None:
        self.actions: list[Action] = []

    def action(
        self,
        name: str,
        *params: Param,
        policy: str | None,
        changes: bool = False,
        secret: bool = False,
        paged: bool = False,
        filtered: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare the function below as an action.

        policy: rule of the Compute API's route that does the same; None where that has none.
        paged: it takes MaxResults and NextToken.  filtered: it takes Filter.
        """

        def register(handler: Handler) -> Handler:
            extra = (*(PAGE if paged else ()), *((FILTER,) if filtered else ()))
            self.actions.append(
                Action(
                    name=name,
                    params=(*params, *extra, DRY_RUN),
                    rule=None if policy is None else full_name(policy, NAMESPACE),
                    changes=changes,
                    secret=secret,
                    handler=handler,
                )
            )
            return handler

        return register


def table_of(families: Iterable[Family]) -> dict[str, Action]:
    """Return all actions by name.  Raises: ValueError for one that is declared twice."""
    table: dict[str, Action] = {}
    for action in (action for family in families for action in family.actions):
        if action.name in table:
            raise ValueError(f"the action {action.name} is declared twice")
        table[action.name] = action
    return table
