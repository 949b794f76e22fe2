"""Certificates of users, as the conductor remembers them.

Source: objectstore-cert, section 3.
"""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate:
    """A certificate that was just signed.

    file_name: below the folder of the authorities, it tells which of them signed it.
    certificate: PEM.
    """

    user_id: str
    project_id: str
    file_name: str
    certificate: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate on record."""

    id: int
    user_id: str
    project_id: str
    file_name: str
    certificate: str
    created_at: datetime.datetime
    revoked_at: datetime.datetime | None = None
