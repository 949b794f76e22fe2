"""What a create request asked for that is needed only until the server is built."""

import dataclasses

from nova.objects.instance import InjectedFile
from nova.objects.network import NetworkMode, RequestedNetwork


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """The part of a create request that is stored with its operation.

    The admin password is never stored; had_admin_password tells that there was one.
    """

    network_mode: NetworkMode = NetworkMode.AUTO
    networks: tuple[RequestedNetwork, ...] = ()
    injected_files: tuple[InjectedFile, ...] = ()
    availability_zone: str | None = None
    force_host: str | None = None
    force_node: str | None = None
    requested_host: str | None = None
    requested_node: str | None = None
    had_admin_password: bool = False
