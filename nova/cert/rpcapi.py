"""What nova-cert does: the authorities of the cloud and of its projects.

Source: objectstore-cert, section 3.1.
"""

from nova.context import RequestContext
from nova.rpc.interface import Interface, call


class CertAPI(Interface):
    """Certificates, revocation lists, and decryption with an authority's key."""

    topic = "cert"
    version = "2.0"

    @call(since="2.0")
    def generate_x509_cert(
        self, context: RequestContext, user_id: str, project_id: str
    ) -> tuple[str, str]:
        """Return a new private key and its certificate, both PEM."""

    @call(since="2.0", retry_safe=True)
    def fetch_ca(self, context: RequestContext, project_id: str) -> str:
        """Return the certificate of the project's authority (the root's when it has none), PEM.

        Raises: CryptoCAFileNotFound.
        """

    @call(since="2.0", retry_safe=True)
    def fetch_crl(self, context: RequestContext, project_id: str) -> str:
        """Return the revocation list, PEM.  Raises: CryptoCRLFileNotFound."""

    @call(since="2.0", retry_safe=True)
    def decrypt_text(self, context: RequestContext, project_id: str, text: str) -> str:
        """Decrypt base64 text that was encrypted for the authority.  Raises: DecryptionFailure."""

    @call(since="2.0", retry_safe=True)
    def revoke_certs_by_user(self, context: RequestContext, user_id: str) -> int:
        """Revoke all certificates of a user; return how many there were."""

    @call(since="2.0", retry_safe=True)
    def revoke_certs_by_project(self, context: RequestContext, project_id: str) -> int:
        """Revoke all certificates of a project; return how many there were."""

    @call(since="2.0", retry_safe=True)
    def revoke_certs_by_user_and_project(
        self, context: RequestContext, user_id: str, project_id: str
    ) -> int:
        """Revoke the certificates of a user in a project; return how many there were."""
