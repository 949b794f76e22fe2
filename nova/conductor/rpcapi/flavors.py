"""Conductor interface: flavors."""

from nova.context import RequestContext
from nova.objects.flavor import Flavor, FlavorChange, FlavorQuery, NewFlavor
from nova.rpc.interface import Interface, call


class ConductorFlavors(Interface):
    """Flavors."""

    topic = "conductor"
    namespace = "flavors"
    version = "1.1"

    @call(since="1.0", retry_safe=True)
    def page(self, context: RequestContext, query: FlavorQuery) -> tuple[Flavor, ...]:
        """Return one page of flavors.  Raises: MarkerNotFound."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, flavorid: str, project_id: str | None = None) -> Flavor:
        """Return a flavor; with project_id only if that project may use it.

        Raises: FlavorNotFound.
        """

    @call(since="1.0")
    def create(self, context: RequestContext, new: NewFlavor) -> Flavor:
        """Create a flavor.  Raises: FlavorExists."""

    @call(since="1.0")
    def update(self, context: RequestContext, flavorid: str, change: FlavorChange) -> Flavor:
        """Change a flavor's description.  Raises: FlavorNotFound."""

    @call(since="1.0")
    def delete(self, context: RequestContext, flavorid: str) -> None:
        """Delete a flavor; servers keep their copy.  Raises: FlavorNotFound."""

    @call(since="1.0")
    def set_extra_specs(
        self, context: RequestContext, flavorid: str, extra_specs: dict[str, str]
    ) -> None:
        """Add or overwrite extra specs.  Raises: FlavorNotFound."""

    @call(since="1.0")
    def delete_extra_spec(self, context: RequestContext, flavorid: str, key: str) -> None:
        """Remove one extra spec.  Raises: FlavorNotFound, FlavorExtraSpecNotFound."""

    @call(since="1.0", retry_safe=True)
    def list_access(self, context: RequestContext, flavorid: str) -> tuple[str, ...]:
        """Return the projects with access.  Raises: FlavorNotFound, FlavorHasNoAccessList."""

    @call(since="1.0", args={"public_too": "1.1"})
    def add_access(
        self,
        context: RequestContext,
        flavorid: str,
        project_id: str,
        public_too: bool = False,
    ) -> tuple[str, ...]:
        """Give access; return all projects with access.

        public_too: keep an entry for a public flavor, for when it is none any more.
        Raises: FlavorNotFound, FlavorAccessExists, FlavorIsPublic.
        """

    @call(since="1.0")
    def remove_access(
        self, context: RequestContext, flavorid: str, project_id: str
    ) -> tuple[str, ...]:
        """Take access away; return who is left.  Raises: FlavorAccessNotFound."""
