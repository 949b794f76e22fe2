"""From a token to bytes that flow: the part that the WebSocket proxies and xvp share."""

import datetime
import logging

from nova import clock
from nova.console.ends import BrowserEnd, End
from nova.console.relay import CLOSED, EXPIRED, Pace, Traffic, relay
from nova.console.server import Connection
from nova.console.settings import SessionRules
from nova.consoleauth.rpcapi import ConsoleAuthAPI
from nova.context import get_admin_context
from nova.exception import NovaException
from nova.objects.console import ConsoleTarget, ConsoleType
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

# Source: RFC 6455 section 7.4.1.
NORMAL, GOING_AWAY, POLICY, FAILED = 1000, 1001, 1008, 1011
STOPPED = "the proxy stops"
_CODES = {CLOSED: NORMAL, STOPPED: GOING_AWAY}
_GOODBYE_S = 2.0


class Tokens:
    """Asks nova-consoleauth what tokens lead to; only those of one type are good here."""

    def __init__(self, bus: Bus, console_type: ConsoleType) -> None:
        self._auth = bus.client(ConsoleAuthAPI)
        self._type = console_type

    def check(self, token: str | None) -> ConsoleTarget | None:
        """Return what a token leads to; None if it is not good.  Raises: Unavailable."""
        if not token:
            return None
        target = self._auth.anyone().check_token(get_admin_context(), token)
        if target is None or target.console_type is not self._type:
            return None
        return target if target.expires > clock.utcnow() else None


def run(
    connection: Connection, client: End, end: End, target: ConsoleTarget, rules: SessionRules
) -> str:
    """Pass bytes on until the session is over; return why it is.  Both ends may not block."""
    to, traffic, began = target.connection, Traffic(), clock.monotonic()
    LOG.info(
        "%s console of instance %s (%s port %s) opened from %s",
        target.console_type, target.instance_uuid, to.host, to.port, connection.source,
    )  # fmt: skip
    pace = Pace(
        idle_s=rules.idle_timeout_s,
        ends_at=_end_of(target.expires) if rules.ends_at_expiry else None,
        keep_alive=client.ping if isinstance(client, BrowserEnd) else None,
    )
    try:
        reason = relay(client, end, pace, traffic)
    except (OSError, NovaException) as error:
        reason = str(error)
    if connection.stopping:
        reason = STOPPED
    LOG.info(
        "%s console of instance %s closed after %.1f s (%s): %s bytes to it, %s from it",
        target.console_type, target.instance_uuid, clock.monotonic() - began, reason,
        traffic.to_target, traffic.to_client,
    )  # fmt: skip
    return reason


def _end_of(expires: datetime.datetime) -> float:
    return clock.monotonic() + (expires - clock.utcnow()).total_seconds()


def say_goodbye(browser: BrowserEnd, reason: str) -> None:
    """Tell a browser that the session is over and wait a moment for its answer.

    What else it says meanwhile does not make that longer.
    """
    code = POLICY if reason == EXPIRED else _CODES.get(reason, FAILED)
    deadline = clock.monotonic() + _GOODBYE_S
    browser.begin_waiting(deadline)
    try:
        browser.say_goodbye(code, "" if reason == CLOSED else "the session is over")
        browser.flush_all()
        while browser.fileno() >= 0 and browser.read() is not None:
            browser.begin_waiting(deadline)
    except (OSError, NovaException) as error:
        LOG.debug("The browser did not say goodbye: %s", error)
