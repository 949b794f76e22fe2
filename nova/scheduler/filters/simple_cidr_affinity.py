"""Placement near an address."""

import ipaddress

from nova.objects.request_spec import RequestSpec
from nova.scheduler.filters.base import HostFilter
from nova.scheduler.host_state import HostState

_STANDARD = "/24"


class SimpleCIDRAffinityFilter(HostFilter):
    """Accepts hosts in the network of the hint build_near_host_ip with the mask of cidr."""

    lacks = "not near the address of the hint build_near_host_ip"
    once = True

    def refuses(self, host: HostState, spec: RequestSpec) -> str | None:
        """Look whether the host's address is in the network; without the hint all suit."""
        near = next(iter(spec.hints.get("build_near_host_ip", ())), None)
        if near is None:
            return None
        mask = next(iter(spec.hints.get("cidr", ())), _STANDARD)
        try:
            network = ipaddress.ip_network(near + mask, strict=False)
            inside = ipaddress.ip_address(host.node.host_ip or "") in network
        except ValueError:
            return f"{near}{mask} or the host's address is no address"
        return None if inside else f"{host.node.host_ip} is not in {network}"
