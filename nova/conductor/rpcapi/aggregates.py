"""Conductor interface: aggregates of compute hosts, and the zones that they make."""

from nova.context import RequestContext
from nova.objects.aggregate import Aggregate, AggregateChange
from nova.rpc.interface import Interface, call


class ConductorAggregates(Interface):
    """Aggregates: sets of compute hosts, and the availability zones that they make."""

    topic = "conductor"
    namespace = "aggregates"
    version = "1.0"

    @call(since="1.0", retry_safe=True)
    def list_all(self, context: RequestContext) -> tuple[Aggregate, ...]:
        """Return all aggregates in order of their ids."""

    @call(since="1.0", retry_safe=True)
    def get(self, context: RequestContext, aggregate_id: int) -> Aggregate:
        """Return an aggregate.  Raises: AggregateNotFound."""

    @call(since="1.0")
    def create(
        self, context: RequestContext, name: str, availability_zone: str | None = None
    ) -> Aggregate:
        """Make an aggregate without hosts.  Raises: AggregateNameExists."""

    @call(since="1.0")
    def update(
        self, context: RequestContext, aggregate_id: int, change: AggregateChange
    ) -> Aggregate:
        """Rename an aggregate, or give it another zone.

        Raises: AggregateNotFound, AggregateNameExists, InvalidAggregateAction.
        """

    @call(since="1.0")
    def delete(self, context: RequestContext, aggregate_id: int) -> None:
        """Delete an aggregate that has no hosts.  Raises: AggregateNotFound, AggregateInUse."""

    @call(since="1.0")
    def add_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Put a host into an aggregate.

        Raises: AggregateNotFound, ComputeHostNotFound, AggregateHostExists,
        AggregateZoneConflict.
        """

    @call(since="1.0")
    def remove_host(self, context: RequestContext, aggregate_id: int, host: str) -> Aggregate:
        """Take a host out of an aggregate.

        Raises: AggregateNotFound, AggregateHostNotFound, AggregateZoneConflict.
        """

    @call(since="1.0")
    def set_metadata(
        self, context: RequestContext, aggregate_id: int, metadata: dict[str, str | None]
    ) -> Aggregate:
        """Add or overwrite metadata; None removes an item.

        Raises: AggregateNotFound, InvalidAggregateAction.
        """

    @call(since="1.0", retry_safe=True)
    def cache_images(
        self, context: RequestContext, aggregate_id: int, image_ids: tuple[str, ...]
    ) -> None:
        """Ask the live hosts of an aggregate to fetch images.  Raises: AggregateNotFound."""
