"""os-console-auth-tokens: what a console's token leads to, for proxies of others.

Source: compute-api-routes (Migrations, events, usage, console tokens).
"""

from nova.api.openstack.answers import named
from nova.api.openstack.call import Call
from nova.api.openstack.resource import Resource
from nova.api.openstack.schema import Key, Object, Query
from nova.api.openstack.schema_types import (
    INTEGER,
    INTEGER_OR_NULL,
    STRING,
    STRING_OR_NULL,
)
from nova.api.openstack.versions import Range
from nova.exception import ConsoleTokenNotFound, ConsoleTokenOfOtherType
from nova.objects.console import ConsoleType
from nova.policy import ADMIN

console_auth_tokens = Resource("os-console-auth-tokens", rules={"": ADMIN})

_ALL_TYPES = Range("2.31")
_TLS_PORT = Range("2.99")
SHOWN = Object(
    Key("instance_uuid", STRING, required=True),
    Key("host", STRING_OR_NULL, required=True),
    Key("port", INTEGER, required=True),
    Key("internal_access_path", STRING_OR_NULL, required=True),
    Key("tls_port", INTEGER_OR_NULL, required=True, since="2.99"),
)


@console_auth_tokens.route(
    "GET /os-console-auth-tokens/{id}",
    policy="",
    query=Query(strict_since="2.99"),
    answer=named("console", SHOWN),
)
def show(call: Call) -> dict[str, object]:
    """Show what a token leads to; before 2.31 only those of RDP consoles are shown.

    Raises: ConsoleTokenNotFound, ConsoleTokenOfOtherType.
    """
    found = call.services.consoleauth.check_token(call.context, call.args["id"])
    if found is None:
        raise ConsoleTokenNotFound()
    if call.version not in _ALL_TYPES and found.console_type is not ConsoleType.RDP_HTML5:
        raise ConsoleTokenOfOtherType()
    console: dict[str, object] = {
        "instance_uuid": found.instance_uuid,
        "host": found.connection.host,
        "port": found.connection.port,
        "internal_access_path": found.connection.internal_access_path,
    }
    if call.version in _TLS_PORT:
        console["tls_port"] = found.connection.tls_port
    return {"console": console}
