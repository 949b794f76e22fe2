"""Administrator passwords of servers."""

import secrets

# Without the characters that people take for one another.
_GROUPS = ("23456789", "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz")


def generate(length: int) -> str:
    """Return a random password with a character of each group, if it is long enough."""
    if length < 1:
        raise ValueError(length)
    chosen = [secrets.choice(group) for group in _GROUPS][:length]
    chosen += [secrets.choice("".join(_GROUPS)) for _ in range(length - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)
