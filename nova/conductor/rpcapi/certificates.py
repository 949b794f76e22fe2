"""Conductor interface: records of the certificates that nova-cert signed."""

from nova.context import RequestContext
from nova.objects.certificate import Certificate, NewCertificate
from nova.rpc.interface import Interface, call

MAX_CERTIFICATES = 100


class ConductorCertificates(Interface):
    """Records of certificates; the certificates themselves are nova-cert's."""

    topic = "conductor"
    namespace = "certificates"
    version = "1.0"

    @call(since="1.0")
    def add(self, context: RequestContext, certificate: NewCertificate) -> None:
        """Remember a certificate."""

    @call(since="1.0", retry_safe=True)
    def list_valid(
        self,
        context: RequestContext,
        project_id: str | None = None,
        user_id: str | None = None,
    ) -> tuple[Certificate, ...]:
        """Return the newest certificates that are not revoked, at most MAX_CERTIFICATES.

        Of a project, of a user, or of a user in a project.  Raises: InvalidInput without both.
        """

    @call(since="1.0", retry_safe=True)
    def mark_revoked(self, context: RequestContext, certificate_ids: tuple[int, ...]) -> None:
        """Note that certificates are on their authorities' revocation lists."""
