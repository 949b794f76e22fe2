"""Who asks, with what a program gives to every request: the same for every API."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from nova import exception
from nova.api.core.clients import (
    ConductorClients,
    cert_client,
    compute_client,
    conductor_clients,
    consoleauth_client,
)
from nova.api.core.hosts import HostStates
from nova.api.core.projects import AnyProject, Projects, require_project
from nova.api.settings import ApiSettings
from nova.cert.rpcapi import CertAPI
from nova.compute.rpcapi import ComputeAPI
from nova.consoleauth.rpcapi import ConsoleAuthAPI
from nova.context import RequestContext
from nova.image.api import ImageService
from nova.objects.instance import Scope
from nova.policy import NAMESPACE, Policy, full_name, own_target
from nova.rpc.bus import Bus, Client

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a program gives to every request: clients, policy, settings."""

    conductor: ConductorClients
    compute: Client[ComputeAPI]
    cert: CertAPI
    consoleauth: ConsoleAuthAPI
    images: ImageService
    policy: Policy
    settings: ApiSettings
    host_states: HostStates
    projects: Projects = dataclasses.field(default_factory=AnyProject)


def services_over(
    bus: Bus,
    images: ImageService,
    policy: Policy,
    settings: ApiSettings,
    projects: Projects | None = None,
) -> Services:
    """Return what reaches every daemon over a bus."""
    conductor = conductor_clients(bus)
    return Services(
        conductor=conductor,
        compute=compute_client(bus),
        cert=cert_client(bus),
        consoleauth=consoleauth_client(bus),
        images=images,
        policy=policy,
        settings=settings,
        host_states=HostStates(conductor.hosts),
        projects=projects or AnyProject(),
    )


@dataclasses.dataclass(slots=True, kw_only=True)
class Caller:
    """One caller and what a policy lets him do.

    rule: the policy rule of what is asked for, by its full name, None when it has none.
    token: the caller's own, for outside services; it must never travel over the bus.
    """

    context: RequestContext
    services: Services
    rule: str | None = None
    token: str | None = dataclasses.field(default=None, repr=False)
    _known: dict[object, Any] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def conductor(self) -> ConductorClients:
        """The conductor's clients."""
        return self.services.conductor

    @property
    def settings(self) -> ApiSettings:
        """The program's settings."""
        return self.services.settings

    @property
    def scope(self) -> Scope:
        """Rows that the route's rule lets the caller at; everybody's for administrators."""
        return self.scope_of(self._own_rule())

    def scope_of(self, rule: str) -> Scope:
        """Return the rows that a rule lets the caller at.

        Raises: PolicyNotAuthorized for a caller without project who may not see everything.
        """
        everybody = self.remembered(
            ("all", rule),
            lambda: self.services.policy.reaches_all_projects(self.context, rule),
        )
        if everybody:
            return Scope()
        if not self.context.project_id:
            raise exception.PolicyNotAuthorized(rule=rule)
        return Scope(project_id=self.context.project_id)

    def allows(self, rule: str, project_id: str | None = None, user_id: str | None = None) -> bool:
        """Tell whether a rule (short or full name) passes for an owner's object.

        Without an owner the object is taken to be the caller's own.
        """
        name = full_name(rule, NAMESPACE)
        target = own_target(self.context)
        if project_id is not None or user_id is not None:
            target = {"project_id": project_id, "user_id": user_id}
        return self.remembered(
            (name, target["project_id"], target["user_id"]),
            lambda: self.services.policy.check(self.context, name, target),
        )

    def authorize(
        self, rule: str | None = None, project_id: str | None = None, user_id: str | None = None
    ) -> None:
        """Let the caller pass a rule (the route's own without a name), or not.

        Raises: PolicyNotAuthorized.
        """
        name = rule or self._own_rule()
        if not self.allows(name, project_id, user_id):
            raise exception.PolicyNotAuthorized(rule=full_name(name, NAMESPACE))

    def require_project(self, project_id: str) -> None:
        """Refuse a project that the identity service does not know.

        Raises: ProjectUnknown.
        """
        require_project(self.services.projects, self.context, self.token, project_id)

    def _own_rule(self) -> str:
        if self.rule is None:
            raise LookupError("the route has no policy rule")
        return self.rule

    def remembered(self, key: object, find: Callable[[], T]) -> T:
        """Return what is found out once for the request; the key says what it is."""
        if key not in self._known:
            self._known[key] = find()
        found: T = self._known[key]
        return found
