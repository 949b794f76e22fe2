"""Key pairs: public keys that users give to their servers."""

import dataclasses
import datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Keypair:
    """A public key of a user.  private_key is set only in the answer to its generation."""

    id: int
    name: str
    user_id: str
    fingerprint: str
    public_key: str
    type: str = "ssh"
    private_key: str | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewKeypair:
    """What a key pair is stored from; key material has been made or parsed by the API."""

    name: str
    user_id: str
    public_key: str
    fingerprint: str
    type: str = "ssh"
