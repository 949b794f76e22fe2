"""nova-cert: certificates of users, and what only an authority's key can do."""

import base64
import binascii
import logging

from nova import clock, concurrency
from nova.cert import authority, subjects
from nova.cert.rpcapi import CertAPI
from nova.cert.settings import CertSettings
from nova.cert.store import AuthorityStore
from nova.conductor.rpcapi.certificates import ConductorCertificates
from nova.context import RequestContext
from nova.exception import ConfigurationError, DecryptionFailure, InvalidInput
from nova.objects.certificate import NewCertificate
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


class CertManager(CertAPI):
    """Serves the authorities below ca_path; several may share them."""

    def __init__(self, settings: CertSettings, bus: Bus) -> None:
        self._settings = settings
        self._store = AuthorityStore(settings)
        self._records = bus.client(ConductorCertificates).anyone()

    def init_host(self) -> None:
        """Make the root authority if there is none.

        Raises: ConfigurationError, AuthorityUnusable, AuthorityBusy.
        """
        try:
            self._store.ensure()
        except OSError as error:
            reason = f"ca_path = {self._settings.ca_path} can not be used: {error.strerror}"
            raise ConfigurationError(reason=reason) from error

    def cleanup_host(self) -> None:
        """Let go of nothing: all is in files."""

    def generate_x509_cert(
        self, context: RequestContext, user_id: str, project_id: str
    ) -> tuple[str, str]:
        """Return a new private key, which is kept nowhere, and its certificate."""
        owner = self._owner(project_id)
        template = self._settings.user_cert_subject
        time = clock.isoformat(clock.utcnow())
        subject = subjects.build(template, (project_id, user_id, time))
        key = concurrency.run_native(authority.new_key)
        certificate, file_name = self._store.sign(owner, key.public_key(), subject)
        text = authority.pem_of(certificate).decode("ascii")
        self._records.add(
            context,
            NewCertificate(
                user_id=user_id, project_id=project_id, file_name=file_name, certificate=text
            ),
        )
        LOG.info("Signed certificate %s of user %s in %s", file_name, user_id, project_id)
        return authority.pem_of_key(key).decode("ascii"), text

    def fetch_ca(self, context: RequestContext, project_id: str) -> str:
        """Return the certificate of the authority that signs for a project."""
        signer = self._store.load(self._owner(project_id))
        return authority.pem_of(signer.certificate).decode("ascii")

    def fetch_crl(self, context: RequestContext, project_id: str) -> str:
        """Return the revocation list of the authority that signs for a project."""
        return self._store.revocation_list(self._owner(project_id))

    def decrypt_text(self, context: RequestContext, project_id: str, text: str) -> str:
        """Decrypt text that was encrypted for the authority that signs for a project."""
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise DecryptionFailure() from None
        return authority.decrypt(self._store.load(self._owner(project_id)).key, content)

    def revoke_certs_by_user(self, context: RequestContext, user_id: str) -> int:
        """Revoke all certificates of a user."""
        return self._revoke(context, user_id=user_id)

    def revoke_certs_by_project(self, context: RequestContext, project_id: str) -> int:
        """Revoke all certificates of a project, which need not exist any more."""
        return self._revoke(context, project_id=project_id)

    def revoke_certs_by_user_and_project(
        self, context: RequestContext, user_id: str, project_id: str
    ) -> int:
        """Revoke the certificates of a user in a project."""
        return self._revoke(context, user_id=user_id, project_id=project_id)

    def _owner(self, project_id: str) -> str | None:
        """Return whose authority signs for a project, which is made if need be; None: the root."""
        if not project_id:
            raise InvalidInput(reason="Certificates are made for projects.")
        if not self._settings.use_project_ca:
            return None
        self._store.ensure(project_id)
        return project_id

    def _revoke(self, context: RequestContext, **whose: str) -> int:
        """Revoke page by page: first on the lists, so that a repeat goes on where this ends."""
        count = 0
        while found := self._records.list_valid(context, **whose):
            self._store.revoke(tuple(certificate.file_name for certificate in found))
            self._records.mark_revoked(context, tuple(certificate.id for certificate in found))
            for certificate in found:
                LOG.info("Revoked certificate %s", certificate.file_name)
            count += len(found)
        return count
