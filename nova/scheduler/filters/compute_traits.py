"""What a host must be able to do."""

import dataclasses

from nova import exception
from nova.objects.request_spec import RequestSpec
from nova.objects.traits import forbidden_traits, required_traits
from nova.scheduler.filters.base import FilterSettings, HostFilter
from nova.scheduler.host_state import HostState


@dataclasses.dataclass(frozen=True, slots=True)
class _Wish:
    """What one request wants; senseless: why no host can be asked for it."""

    spec: RequestSpec
    required: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    senseless: str | None = None


class ComputeTraitsFilter(HostFilter):
    """Accepts hosts with the traits that a server's firmware, TPM, flavor and image need."""

    lacks = "firmware, TPM or another trait is missing"
    once = True

    def __init__(self, settings: FilterSettings) -> None:
        super().__init__(settings)
        # What the last request wants: it is the same for all hosts.
        self._last: _Wish | None = None

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Compare with what the host reports."""
        wish = self._last
        if wish is None or wish.spec is not spec:
            wish = self._last = _wish(spec)
        if wish.senseless is not None or not (wish.required or wish.forbidden):
            return wish.senseless
        have = frozenset(host.node.traits)
        missing, unwanted = wish.required - have, wish.forbidden & have
        if missing:
            return f"traits {', '.join(sorted(missing))} wanted, the host lacks them"
        return f"traits {', '.join(sorted(unwanted))} are not allowed" if unwanted else None


def _wish(spec: RequestSpec) -> _Wish:
    try:
        required = required_traits(spec.flavor, spec.image_properties)
    except exception.Invalid as error:
        return _Wish(spec, senseless=str(error))
    return _Wish(spec, required=required, forbidden=forbidden_traits(spec.flavor))
