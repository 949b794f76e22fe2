"""Flavors."""

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from nova import clock
from nova.conductor.rpcapi.flavors import ConductorFlavors
from nova.context import RequestContext
from nova.db import flavors
from nova.db.duplicates import refused_as
from nova.db.engine import Database, Transaction, retried
from nova.exception import (
    FlavorAccessExists,
    FlavorAccessNotFound,
    FlavorExists,
    FlavorExtraSpecNotFound,
    FlavorHasNoAccessList,
    FlavorIsPublic,
    FlavorNotFound,
    InvalidSortKey,
    MarkerNotFound,
)
from nova.objects.flavor import Flavor, FlavorChange, FlavorQuery, NewFlavor
from nova.objects.unset import UNSET

MAX_PAGE = 1000


class FlavorsEndpoint(ConductorFlavors):
    """Serves the flavors of the database."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def page(self, context: RequestContext, query: FlavorQuery) -> tuple[Flavor, ...]:
        """Return one page of flavors."""
        if query.sort_key not in flavors.SORT_COLUMNS or query.sort_dir not in ("asc", "desc"):
            raise InvalidSortKey(key=query.sort_key)
        bounded = dataclasses.replace(query, limit=max(0, min(query.limit, MAX_PAGE)))
        with self.db.reading() as tx:
            found = flavors.page(tx, bounded)
        if found is None:
            raise MarkerNotFound(marker=query.marker)
        return tuple(found)

    @retried
    def get(self, context: RequestContext, flavorid: str, project_id: str | None = None) -> Flavor:
        """Return a flavor; with project_id only if that project may use it."""
        with self.db.reading() as tx:
            return _get(tx, flavorid, project_id)

    @retried
    def create(self, context: RequestContext, new: NewFlavor) -> Flavor:
        """Create a flavor."""
        flavorid = new.flavorid or str(uuid.uuid4())
        now = clock.utcnow()
        row = {
            field.name: getattr(new, field.name)
            for field in dataclasses.fields(new)
            if field.name not in ("swap_mb", "flavorid")
        }
        row |= {"flavorid": flavorid, "swap": new.swap_mb, "created_at": now}
        taken = FlavorExists(name=new.name, flavor_id=flavorid)
        with self.db.transaction() as tx:
            if flavors.exists(tx, new.name, flavorid):
                raise taken
            with refused_as(taken):
                flavors.create(tx, row)
            return _get(tx, flavorid)

    @retried
    def update(self, context: RequestContext, flavorid: str, change: FlavorChange) -> Flavor:
        """Change a flavor's description."""
        with self._changing(flavorid) as (tx, flavor):
            if change.description is UNSET:
                return flavor
            flavors.update(tx, flavor.id, {"description": change.description})
            return dataclasses.replace(flavor, description=change.description)

    @retried
    def delete(self, context: RequestContext, flavorid: str) -> None:
        """Delete a flavor; servers keep their copy."""
        with self.db.transaction() as tx:
            flavors.delete(tx, _get(tx, flavorid).id)

    @retried
    def set_extra_specs(
        self, context: RequestContext, flavorid: str, extra_specs: dict[str, str]
    ) -> None:
        """Add or overwrite extra specs."""
        with self._changing(flavorid) as (tx, flavor):
            flavors.set_extra_specs(tx, flavor.id, extra_specs)

    @retried
    def delete_extra_spec(self, context: RequestContext, flavorid: str, key: str) -> None:
        """Remove one extra spec."""
        with self._changing(flavorid) as (tx, flavor):
            if not flavors.delete_extra_spec(tx, flavor.id, key):
                raise FlavorExtraSpecNotFound(flavor_id=flavorid, key=key)

    @retried
    def list_access(self, context: RequestContext, flavorid: str) -> tuple[str, ...]:
        """Return the projects with access."""
        with self.db.reading() as tx:
            flavor = _get(tx, flavorid)
            if flavor.is_public:
                raise FlavorHasNoAccessList(flavor_id=flavorid)
            return tuple(flavors.list_access(tx, flavor.id))

    @retried
    def add_access(
        self,
        context: RequestContext,
        flavorid: str,
        project_id: str,
        public_too: bool = False,
    ) -> tuple[str, ...]:
        """Give access; return all projects with access."""
        taken = FlavorAccessExists(flavor_id=flavorid, project_id=project_id)
        with self._changing(flavorid) as (tx, flavor):
            if flavor.is_public and not public_too:
                raise FlavorIsPublic(flavor_id=flavorid)
            if flavors.has_access(tx, flavor.id, project_id):
                raise taken
            with refused_as(taken):
                flavors.add_access(tx, flavor.id, project_id)
            return tuple(flavors.list_access(tx, flavor.id))

    @retried
    def remove_access(
        self, context: RequestContext, flavorid: str, project_id: str
    ) -> tuple[str, ...]:
        """Take access away; return who is left."""
        with self._changing(flavorid) as (tx, flavor):
            if not flavors.remove_access(tx, flavor.id, project_id):
                raise FlavorAccessNotFound(flavor_id=flavorid, project_id=project_id)
            return tuple(flavors.list_access(tx, flavor.id))

    @contextmanager
    def _changing(self, flavorid: str) -> Iterator[tuple[Transaction, Flavor]]:
        with self.db.transaction() as tx:
            flavor = _get(tx, flavorid)
            yield tx, flavor
            flavors.touch(tx, flavor.id, clock.utcnow())


def _get(tx: Transaction, flavorid: str, project_id: str | None = None) -> Flavor:
    flavor = flavors.find(tx, flavorid, project_id)
    if flavor is None:
        raise FlavorNotFound(flavor_id=flavorid)
    return flavor
