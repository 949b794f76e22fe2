"""Key pairs of users."""

from nova import clock
from nova.conductor.rpcapi.keypairs import ConductorKeypairs
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db import keypairs, quotas
from nova.db.duplicates import refused_as
from nova.db.engine import Database, retried
from nova.exception import KeypairExists, KeypairNotFound, MarkerNotFound, QuotaExceeded
from nova.objects.keypair import Keypair, NewKeypair
from nova.objects.quota import UNLIMITED

MAX_PAGE = 1000


class KeypairsEndpoint(ConductorKeypairs):
    """Serves the key pairs of the database."""

    def __init__(self, db: Database, settings: ConductorSettings) -> None:
        self.db = db
        self.settings = settings

    @retried
    def page(
        self,
        context: RequestContext,
        user_id: str,
        limit: int = 1000,
        marker: str | None = None,
    ) -> tuple[Keypair, ...]:
        """Return one page of a user's key pairs by name."""
        with self.db.reading() as tx:
            if marker is not None and keypairs.find(tx, user_id, marker) is None:
                raise MarkerNotFound(marker=marker)
            return tuple(keypairs.page(tx, user_id, max(0, min(limit, MAX_PAGE)), marker))

    @retried
    def get(self, context: RequestContext, user_id: str, name: str) -> Keypair:
        """Return a key pair."""
        with self.db.reading() as tx:
            found = keypairs.find(tx, user_id, name)
        if found is None:
            raise KeypairNotFound(name=name, user_id=user_id)
        return found

    @retried
    def create(self, context: RequestContext, new: NewKeypair) -> Keypair:
        """Store a key pair."""
        row = {
            "name": new.name,
            "user_id": new.user_id,
            "public_key": new.public_key,
            "fingerprint": new.fingerprint,
            "type": new.type,
            "created_at": clock.utcnow(),
        }
        with self.db.transaction() as tx:
            if keypairs.find(tx, new.user_id, new.name) is not None:
                raise KeypairExists(name=new.name)
            project_id = context.project_id or ""
            limits = quotas.limits(tx, project_id, self.settings.quotas, new.user_id)
            limit = limits["key_pairs"]
            if limit != UNLIMITED and keypairs.count(tx, new.user_id) >= limit:
                raise QuotaExceeded(resource="key_pairs", allowed=limit)
            with refused_as(KeypairExists(name=new.name)):
                keypairs.create(tx, row)
            created = keypairs.find(tx, new.user_id, new.name)
        assert created is not None, "the row was just inserted"
        return created

    @retried
    def delete(self, context: RequestContext, user_id: str, name: str) -> None:
        """Delete a key pair."""
        with self.db.transaction() as tx:
            if not keypairs.delete(tx, user_id, name):
                raise KeypairNotFound(name=name, user_id=user_id)
