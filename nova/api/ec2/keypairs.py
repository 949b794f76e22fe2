"""Key pairs of the user who asks: CreateKeyPair, ImportKeyPair, DescribeKeyPairs, DeleteKeyPair.

Source: ec2-api, sections 5 and 7.
"""

from collections.abc import Iterator
from typing import Any

from nova import exception
from nova.api.core import keys
from nova.api.core.keys import KeyMaterial
from nova.api.ec2 import ids
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.filters import Filters, no_tags
from nova.api.ec2.params import BASE64, BOOLEAN, TEXT, Param, invalid, one_of
from nova.objects.keypair import Keypair, NewKeypair

keypairs = Family()

NAME = Param("KeyName", type=TEXT, required=True)
_MAX_NAME = 255
_PAGE = 1000

_FILTERS: Filters[Keypair] = Filters(
    {
        "key-name": lambda keypair: [keypair.name],
        "fingerprint": lambda keypair: [keypair.fingerprint],
        "key-pair-id": lambda keypair: [_id_of(keypair)],
    },
    tags=no_tags,
)


@keypairs.action(
    "DescribeKeyPairs",
    *(
        Param("KeyName", type=TEXT, many=True),
        Param("KeyPairId", type=TEXT, many=True),
        Param("IncludePublicKey", type=BOOLEAN),
    ),
    policy="os-keypairs:index",
    filtered=True,
)
def describe_key_pairs(call: Ec2Call) -> Result:
    """List the user's key pairs by name."""
    names, given = call.params["KeyName"], call.params["KeyPairId"]
    found = list(_all(call))
    by_name = {keypair.name: keypair for keypair in found}
    by_id = {_id_of(keypair): keypair for keypair in found}
    for name in names:
        if name not in by_name:
            raise exception.KeypairNotFound(name=name, user_id=_user(call))
    for text in given:
        if text not in by_id:
            raise exception.KeypairNotFound(name=text, user_id=_user(call))
    wanted = {keypair.name for text in given for keypair in (by_id[text],)} | set(names)
    shown = [keypair for keypair in found if not wanted or keypair.name in wanted]
    whole = bool(call.params["IncludePublicKey"])
    passed = _FILTERS.select(call.params["Filter"], shown)
    return {"keySet": [_described(one, with_key=whole) for one in passed]}


@keypairs.action(
    "CreateKeyPair",
    NAME,
    Param("KeyType", type=one_of("rsa")),
    Param("KeyFormat", type=one_of("pem")),
    policy="os-keypairs:create",
    changes=True,
    secret=True,
)
def create_key_pair(call: Ec2Call) -> Result:
    """Make a key pair; its private half is in this answer and nowhere else."""
    name = _checked(call.params["KeyName"])
    material = keys.generate_ssh()
    made = _store(call, name, material)
    return {**_named(made), "keyMaterial": material.private_key}


@keypairs.action(
    "ImportKeyPair",
    NAME,
    Param("PublicKeyMaterial", type=BASE64, required=True),
    policy="os-keypairs:create",
    changes=True,
)
def import_key_pair(call: Ec2Call) -> Result:
    """Keep a public key, one line in SSH's form."""
    name = _checked(call.params["KeyName"])
    text = call.params["PublicKeyMaterial"].decode("utf-8", "replace")
    return _named(_store(call, name, keys.import_ssh(text)))


@keypairs.action(
    "ImportPublicKey",
    NAME,
    Param("PublicKey", type=TEXT, required=True),
    policy="os-keypairs:create",
    changes=True,
)
def import_public_key(call: Ec2Call) -> Result:
    """Keep a public key, as clients asked for it before there was ImportKeyPair."""
    _store(call, _checked(call.params["KeyName"]), keys.import_ssh(call.params["PublicKey"]))
    return None


@keypairs.action(
    "DeleteKeyPair",
    Param("KeyName", type=TEXT),
    Param("KeyPairId", type=TEXT),
    policy="os-keypairs:delete",
    changes=True,
)
def delete_key_pair(call: Ec2Call) -> Result:
    """Delete a key pair; one that is not there is gone already."""
    name = call.params["KeyName"] or _name_of(call, call.params["KeyPairId"])
    if name is None:
        return None
    try:
        call.conductor.keypairs.delete(call.context, _user(call), name)
    except exception.KeypairNotFound:
        # Source: ec2-api, section 5 (DeleteKeyPair answers true even then).
        return None
    return None


def _name_of(call: Ec2Call, keypair_id: str | None) -> str | None:
    """Return the name of a key pair that its id names, None for none.

    Raises: Ec2ParameterMissing.
    """
    if not keypair_id:
        raise exception.Ec2ParameterMissing(name="KeyName")
    return next((one.name for one in _all(call) if _id_of(one) == keypair_id), None)


def _user(call: Ec2Call) -> str:
    return call.context.user_id or ""


def _all(call: Ec2Call) -> Iterator[Keypair]:
    """Give all of the user's key pairs, as many as the quota allows."""
    marker: str | None = None
    while True:
        page = call.conductor.keypairs.page(call.context, _user(call), limit=_PAGE, marker=marker)
        yield from page
        if len(page) < _PAGE:
            return
        marker = page[-1].name


def _checked(name: str) -> str:
    """Return a name as it may be.  Raises: Ec2ParameterInvalid."""
    if not 0 < len(name) <= _MAX_NAME or not name.isascii() or not name.isprintable():
        raise invalid("KeyName", f"it has up to {_MAX_NAME} printable ASCII characters")
    if name != name.strip():
        raise invalid("KeyName", "it neither begins nor ends with blanks")
    return name


def _store(call: Ec2Call, name: str, material: KeyMaterial) -> Keypair:
    new = NewKeypair(
        name=name,
        user_id=_user(call),
        public_key=material.public_key,
        fingerprint=material.fingerprint,
    )
    return call.conductor.keypairs.create(call.context, new)


def _id_of(keypair: Keypair) -> str:
    return ids.compose(ids.KEYPAIR, keypair.id)


def _named(keypair: Keypair) -> dict[str, Any]:
    return {
        "keyName": keypair.name,
        "keyFingerprint": keypair.fingerprint,
        "keyPairId": _id_of(keypair),
    }


def _described(keypair: Keypair, *, with_key: bool) -> dict[str, Any]:
    return {
        **_named(keypair),
        "keyType": "rsa" if keypair.public_key.startswith("ssh-rsa") else _type(keypair),
        "createTime": keypair.created_at,
        "tagSet": [],
        "publicKey": keypair.public_key if with_key else None,
    }


def _type(keypair: Keypair) -> str | None:
    """Return what AWS calls the kind of a key, None where it has no word for it."""
    return "ed25519" if keypair.public_key.startswith("ssh-ed25519") else None
