"""What a host must be able to do."""

from nova import exception
from nova.objects.request_spec import RequestSpec
from nova.objects.traits import forbidden_traits, required_traits
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState


class ComputeTraitsFilter(HostFilter):
    """Accepts hosts with the traits that a server's firmware, TPM, flavor and image need."""

    lacks = "firmware, TPM or another trait is missing"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare with what the host reports."""
        have = set(host.node.traits)
        try:
            missing = required_traits(spec.flavor, spec.image_properties) - have
        except exception.Invalid as error:
            return str(error)
        if missing:
            return f"traits {', '.join(sorted(missing))} wanted, the host lacks them"
        unwanted = forbidden_traits(spec.flavor) & have
        return f"traits {', '.join(sorted(unwanted))} are not allowed" if unwanted else None
