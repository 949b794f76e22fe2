"""The first entries of a list after a marker, chosen from keys in any order.

Texts compare by code points, which is the order of their bytes in UTF-8.
"""

import bisect


class Selection:
    """The first entries, keys and common prefixes, in order; it never holds more than count."""

    def __init__(self, *, prefix: str, delimiter: str, marker: str, count: int) -> None:
        self._prefix, self._delimiter, self._marker = prefix, delimiter, marker
        self._count = count
        self.entries: list[str] = []

    def may_take(self, beginning: str) -> bool:
        """Tell whether a longer key that begins so could be an entry."""
        prefix, marker = self._prefix, self._marker
        if not (beginning.startswith(prefix) or prefix.startswith(beginning)):
            return False
        if beginning < marker and not marker.startswith(beginning):
            return False
        return not self._is_behind(self._entry(beginning))

    def take(self, key: str) -> None:
        """Consider a key."""
        if not key.startswith(self._prefix) or key <= self._marker:
            return
        entry = self._entry(key)
        if entry == self._marker or self._is_behind(entry):
            return
        place = bisect.bisect_left(self.entries, entry)
        if self.entries[place : place + 1] != [entry]:
            self.entries.insert(place, entry)
            del self.entries[self._count :]

    def is_common_prefix(self, entry: str) -> bool:
        """Tell whether an entry stands for all keys that begin so."""
        return bool(self._delimiter) and self._delimiter in entry[len(self._prefix) :]

    def _entry(self, key: str) -> str:
        """Return the key, or what it is rolled up to."""
        if not self.is_common_prefix(key):
            return key
        rest = key[len(self._prefix) :]
        return self._prefix + rest.partition(self._delimiter)[0] + self._delimiter

    def _is_behind(self, entry: str) -> bool:
        return len(self.entries) == self._count and (not self._count or entry >= self.entries[-1])
