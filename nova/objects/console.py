"""Consoles of servers: where one is, and what a token stands for.

Source: consoles, sections 2 and 3.
"""

import dataclasses
import datetime
import enum

from nova.objects.instance import Instance


class ConsoleType(enum.StrEnum):
    """Ways to a console, by the names of the API."""

    NOVNC = "novnc"
    XVPVNC = "xvpvnc"
    SPICE_HTML5 = "spice-html5"
    SPICE_DIRECT = "spice-direct"
    RDP_HTML5 = "rdp-html5"
    SERIAL = "serial"
    WEBMKS = "webmks"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConnection:
    """Where a guest's console listens on its host, as proxies reach it."""

    host: str
    port: int
    tls_port: int | None = None
    internal_access_path: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleTarget:
    """What a valid token leads to.

    instance_name: as users gave it.  project_id: of the server.  access_url: the page or
    socket that the token was made for, without the token.
    """

    instance_uuid: str
    instance_name: str
    project_id: str
    console_type: ConsoleType
    connection: ConsoleConnection
    access_url: str
    expires: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleGrant:
    """A token as it is stored: by its hash alone.

    host: of the server.  generation: console_generation of the server when it was made.
    user_id, project_id: who asked for it; None: an administrator without a project.
    """

    token_hash: str
    console_type: ConsoleType
    connection: ConsoleConnection
    instance_uuid: str
    host: str
    generation: int
    user_id: str | None
    project_id: str | None
    access_url_base: str
    expires: datetime.datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LiveGrant:
    """A token that its server still stands by.

    instance: without what other tables tell of it: metadata, tags, groups, interfaces.
    """

    grant: ConsoleGrant
    instance: Instance
