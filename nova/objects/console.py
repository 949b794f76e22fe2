"""Consoles of servers: where one is, and what a token stands for.

Source: consoles, sections 2 and 3.
"""

import dataclasses
import datetime
import enum


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
    """What a valid token leads to; access_url: the page or socket it was made for."""

    instance_uuid: str
    instance_name: str
    project_id: str
    console_type: ConsoleType
    connection: ConsoleConnection
    access_url: str
    expires: datetime.datetime
