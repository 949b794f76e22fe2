"""os-volumes_boot: another name of /servers, for clients that learned it before 2013."""

import dataclasses
from collections.abc import Iterable

from nova.api.openstack.resource import Resource, Route
from nova.api.openstack.versions import Range

ALIAS = "/os-volumes_boot"
_OF = "/servers"
_PATHS = {_OF, f"{_OF}/detail", f"{_OF}/{{id}}", f"{_OF}/{{id}}/action"}
ACTIONS = {
    "confirmResize",
    "createImage",
    "os-start",
    "os-stop",
    "reboot",
    "rebuild",
    "resize",
    "revertResize",
    "trigger_crash_dump",
}
_UNTIL = "2.102"


def is_aliased(path: str, action: str | None) -> bool:
    """Tell whether a route has the other name too."""
    return path in _PATHS and (action is None or action in ACTIONS)


def alias_of(resources: Iterable[Resource]) -> Resource:
    """Return the routes of servers under their other name."""
    alias = Resource("servers")
    for resource in resources:
        for route in resource.routes:
            if is_aliased(route.path, route.action):
                alias.routes.append(_renamed(route))
                if route.rule is not None:
                    alias.rules[route.rule] = resource.rules[route.rule]
    return alias


def _renamed(route: Route) -> Route:
    until = route.versions.until
    versions = Range(str(route.versions.since), str(until) if until else _UNTIL)
    return dataclasses.replace(route, path=route.path.replace(_OF, ALIAS, 1), versions=versions)
