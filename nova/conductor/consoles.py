"""Tokens of consoles."""

import datetime
import logging

from nova import clock
from nova.conductor.rpcapi.consoles import ConductorConsoles
from nova.context import RequestContext
from nova.db import console_tokens
from nova.db.engine import Database, retried
from nova.objects.console import ConsoleGrant, LiveGrant

LOG = logging.getLogger(__name__)

CLEANUP_INTERVAL_S = 300


class ConsolesEndpoint(ConductorConsoles):
    """Keeps tokens in the database."""

    def __init__(self, db: Database) -> None:
        self.db = db

    @retried
    def grant(self, context: RequestContext, grant: ConsoleGrant) -> None:
        """Keep a token until it expires."""
        with self.db.transaction() as tx:
            console_tokens.create(tx, grant, clock.utcnow())

    @retried
    def find(self, context: RequestContext, token_hash: str) -> LiveGrant | None:
        """Return what a token stands for, if it still does."""
        with self.db.reading() as tx:
            return console_tokens.find_live(tx, token_hash, clock.utcnow())

    @retried
    def revoke(self, context: RequestContext, instance_uuid: str) -> None:
        """Forget all tokens of a server."""
        with self.db.transaction() as tx:
            console_tokens.delete_for(tx, instance_uuid)

    @retried
    def delete_expired(self, now: datetime.datetime) -> int:
        """Forget tokens that no longer open anything; return how many."""
        with self.db.transaction() as tx:
            count = console_tokens.delete_expired(tx, now)
        LOG.debug("%d expired tokens of consoles deleted", count)
        return count
