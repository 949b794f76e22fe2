"""Names of files for keys: no key leads elsewhere, and no name is too long.

A name holds the key in percent encoding, or its beginning and its sum; the sum of a key that is
too long for a name tells it from others, the beginning lets lists pass it over unread.
"""

import hashlib
import itertools
from urllib.parse import quote, unquote

_SUFFIX = ".json"
_WHOLE, _BEGINNING = "k", "l"
# A name has at most 255 bytes; a sum takes 64 of them.
_MOST_WHOLE = 240
_MOST_BEGINNING = 180


def file_name(key: str) -> str:
    """Return the name of the file of a key's record."""
    encoded = quote(key, safe="")
    if len(encoded) <= _MOST_WHOLE:
        return f"{_WHOLE}{encoded}{_SUFFIX}"
    sum_ = hashlib.sha256(key.encode()).hexdigest()
    return f"{_BEGINNING}{quote(_beginning(key), safe='')}-{sum_}{_SUFFIX}"


def is_record(name: str) -> bool:
    """Tell whether a name is one of a record, and not of a file beside one."""
    return name[0] in (_WHOLE, _BEGINNING)


def key_of(name: str) -> tuple[str, bool]:
    """Return the key that a name stands for, and whether it is the whole key."""
    text = name[1:].removesuffix(_SUFFIX)
    if name[0] == _WHOLE:
        return unquote(text), True
    return unquote(text.rpartition("-")[0]), False


def _beginning(key: str) -> str:
    sizes = itertools.accumulate(len(quote(character, safe="")) for character in key)
    return key[: sum(1 for _ in itertools.takewhile(lambda size: size <= _MOST_BEGINNING, sizes))]
