"""From a path to the routes behind it."""

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping

import routes

from nova.api.openstack.resource import Route
from nova.api.openstack.versions import CURRENT_MOUNT, MOUNTS

_PROJECT = "{project_id:[0-9a-f-]+}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a path leads to: every route of its method, and the variable parts.

    project_id is the project in the path, None when the path names none.  mount is what the
    path began with.
    """

    routes: tuple[Route, ...]
    args: Mapping[str, str]
    project_id: str | None
    mount: str = CURRENT_MOUNT


class Router:
    """Knows every route below the mounts, with and without a project in the path."""

    def __init__(
        self, declared: Iterable[Route], mounts: Iterable[str] = MOUNTS, project: bool = True
    ) -> None:
        """Learn the routes; project tells whether paths may begin with one."""
        self._mount = re.compile(
            rf"^(?P<mount>{'|'.join(map(re.escape, mounts))})(?P<rest>/.*)\Z", re.DOTALL
        )
        self._groups: dict[tuple[str, str], list[Route]] = {}
        for route in declared:
            self._groups.setdefault((route.method, route.path), []).append(route)
        self._mapper = routes.Mapper(explicit=True)
        for method, path in sorted(self._groups, key=_literal_parts_first):
            for prefix in ("", f"/{_PROJECT}")[: 2 if project else 1]:
                self._mapper.connect(
                    None,
                    prefix + path,
                    group=f"{method} {path}",
                    conditions={"method": [method]},
                )
        self._mapper.create_regs()

    def find(self, method: str, path: str) -> Match | None:
        """Return the routes that a request may mean; None when there is no such path."""
        place = self._mount.match(path)
        if place is None:
            return None
        found = self._mapper.match(place["rest"], {"REQUEST_METHOD": method})
        if not found:
            return None
        args = dict(found)
        group_method, group_path = args.pop("group").split(" ", 1)
        project_id = args.pop("project_id", None)
        return Match(
            routes=tuple(self._groups[group_method, group_path]),
            args=args,
            project_id=project_id,
            mount=place["mount"],
        )

    def methods_of(self, path: str) -> list[str]:
        """Return the methods that a path takes."""
        methods = sorted({method for method, _path in self._groups})
        return [method for method in methods if self.find(method, path) is not None]


@functools.cache
def router_of(
    declared: tuple[Route, ...], mounts: tuple[str, ...] = tuple(MOUNTS), project: bool = True
) -> Router:
    """Return the router of declared routes; applications of one process share it."""
    return Router(declared, mounts, project)


def _literal_parts_first(key: tuple[str, str]) -> tuple[tuple[bool, str], ...]:
    """Order /servers/detail before /servers/{id}."""
    return tuple((part.startswith("{"), part) for part in key[1].split("/"))
