"""nova-consoleauth: makes, checks and revokes the tokens of consoles.

It keeps nothing itself, so that any number of processes may run.
"""

import datetime
import hashlib
import logging
import secrets

from nova import clock
from nova.compute.rpcapi import ComputeAPI
from nova.conductor.rpcapi.consoles import ConductorConsoles
from nova.consoleauth.identity import Identity
from nova.consoleauth.rpcapi import ConsoleAPI, ConsoleAuthAPI
from nova.consoleauth.settings import ConsoleAuthSettings
from nova.consoleauth.urls import with_token
from nova.context import RequestContext
from nova.exception import InstanceNotReady
from nova.objects.console import (
    ConsoleConnection,
    ConsoleGrant,
    ConsoleTarget,
    ConsoleType,
    LiveGrant,
)
from nova.objects.instance import Instance
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

TOKEN_BYTES = 32


def hash_of(token: str) -> str:
    """Return what is stored of a token; a token is random enough to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


class ConsoleAuthManager(ConsoleAuthAPI):
    """The tokens of consoles."""

    def __init__(self, bus: Bus, settings: ConsoleAuthSettings, identity: Identity) -> None:
        self._settings = settings
        self._identity = identity
        self._consoles = bus.client(ConductorConsoles)
        self._compute = bus.client(ComputeAPI)

    def authorize_console(
        self,
        context: RequestContext,
        instance: Instance,
        console_type: ConsoleType,
        connection: ConsoleConnection,
    ) -> str:
        """Make a token for a console; return the URL that carries it.

        The generation is that of the server as it was read before its port was: what ended
        the console since has ended the token too.  Raises: InstanceNotReady.
        """
        if instance.host is None:
            raise InstanceNotReady(instance_uuid=instance.uuid)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        base = self._settings.base_urls[console_type]
        grant = ConsoleGrant(
            token_hash=hash_of(token),
            console_type=console_type,
            connection=connection,
            instance_uuid=instance.uuid,
            host=instance.host,
            generation=instance.console_generation,
            user_id=context.user_id,
            project_id=context.project_id,
            access_url_base=base,
            expires=clock.utcnow() + datetime.timedelta(seconds=self._settings.token_ttl_s),
        )
        self._consoles.anyone().grant(context, grant)
        LOG.info("Console %s of instance %s is opened", console_type.value, instance.uuid)
        return with_token(base, console_type, token)

    def check_token(self, context: RequestContext, token: str) -> ConsoleTarget | None:
        """Return what a token leads to, after asking everybody who may have revoked it."""
        found = self._consoles.anyone().find(context, hash_of(token))
        if found is None or not self._user_may(found.grant):
            return None
        if not self._is_port_of(context, found):
            return None
        return _target(found)

    def delete_tokens_for_instance(self, context: RequestContext, instance_uuid: str) -> None:
        """Revoke all tokens of a server."""
        self._consoles.anyone().revoke(context, instance_uuid)

    def _user_may(self, grant: ConsoleGrant) -> bool:
        if grant.user_id is None or self._identity.may_act(grant.user_id, grant.project_id):
            return True
        LOG.info("Consoles of user %s are refused: disabled, or without a role", grant.user_id)
        return False

    def _is_port_of(self, context: RequestContext, found: LiveGrant) -> bool:
        grant = found.grant
        compute = self._compute.on(grant.host)
        if compute.validate_console_port(
            context, found.instance, grant.connection.port, grant.console_type
        ):
            return True
        LOG.info("Instance %s listens elsewhere than its token says", grant.instance_uuid)
        return False


def _target(found: LiveGrant) -> ConsoleTarget:
    grant, instance = found.grant, found.instance
    return ConsoleTarget(
        instance_uuid=instance.uuid,
        instance_name=instance.display_name,
        project_id=instance.project_id,
        console_type=grant.console_type,
        connection=grant.connection,
        access_url=grant.access_url_base,
        expires=grant.expires,
    )


class ConsolePools(ConsoleAPI):
    """What is left of nova-console: no hypervisor of ours has the consoles it made pools of."""

    def add_console(self, context: RequestContext, instance_id: str) -> None:
        """Say that there is none."""
        LOG.info("Instance %s gets no pooled console: no host has a pool", instance_id)

    def remove_console(self, context: RequestContext, console_id: str) -> None:
        """Say that there is none."""
        LOG.info("There is no pooled console %s to remove", console_id)
