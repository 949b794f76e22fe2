"""Records of the certificates that nova-cert signed."""

from nova import clock
from nova.conductor.rpcapi.certificates import MAX_CERTIFICATES, ConductorCertificates
from nova.context import RequestContext
from nova.db import certificates
from nova.db.engine import Database, retried
from nova.exception import InvalidInput
from nova.objects.certificate import Certificate, NewCertificate


class CertificatesEndpoint(ConductorCertificates):
    """Serves the records of certificates of the database."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def add(self, context: RequestContext, certificate: NewCertificate) -> None:
        """Remember a certificate."""
        with self.db.transaction() as tx:
            certificates.add(tx, certificate, clock.utcnow())

    @retried
    def list_valid(
        self,
        context: RequestContext,
        project_id: str | None = None,
        user_id: str | None = None,
    ) -> tuple[Certificate, ...]:
        """Return the newest certificates that are not revoked."""
        if project_id is None and user_id is None:
            raise InvalidInput(reason="Certificates are listed by project or by user.")
        with self.db.reading() as tx:
            return tuple(certificates.list_valid(tx, project_id, user_id, MAX_CERTIFICATES))

    @retried
    def mark_revoked(self, context: RequestContext, certificate_ids: tuple[int, ...]) -> None:
        """Note that certificates are revoked."""
        with self.db.transaction() as tx:
            certificates.mark_revoked(tx, certificate_ids, clock.utcnow())
