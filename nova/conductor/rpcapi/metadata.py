"""Conductor interface: what the metadata service of guests asks for."""

from nova.context import RequestContext
from nova.objects.guest_metadata import GuestMetadata
from nova.rpc.interface import Interface, call


class ConductorMetadata(Interface):
    """What the metadata service of guests asks for."""

    topic = "conductor"
    namespace = "metadata"
    version = "1.0"

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def find_by_address(self, context: RequestContext, address: str) -> GuestMetadata | None:
        """Return what is known of the live server that has a fixed address."""

    @call(since="1.0", timeout_s=10, retry_safe=True)
    def find_by_instance(self, context: RequestContext, instance_uuid: str) -> GuestMetadata | None:
        """Return what is known of a live server."""

    @call(since="1.0")
    def set_password(self, context: RequestContext, instance_uuid: str, password: str) -> bool:
        """Store the opaque password a guest posted; False when one is there already."""
