"""Flavor extra specs against aggregates."""

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.filters.operators import matches
from nova.scheduler.host_state import HostState

_SCOPE = "aggregate_instance_extra_specs"


class AggregateInstanceExtraSpecsFilter(HostFilter):
    """Accepts hosts with an aggregate whose metadata meets each extra spec of the flavor.

    Extra specs without scope count, and those of the scope aggregate_instance_extra_specs.
    """

    lacks = "in no aggregate that meets the flavor's extra specs"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Check each extra spec; the first that is not met decides."""
        for key, requirement in spec.flavor.extra_specs.items():
            scope, colon, name = key.partition(":")
            if colon and scope != _SCOPE:
                continue
            values = host.aggregate_metadata.get(name if colon else key, ())
            if not any(matches(value, requirement) for value in values):
                have = ", ".join(values) or "nothing"
                return f"extra spec {key} needs {requirement}, aggregates have {have}"
        return None
