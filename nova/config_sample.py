"""Writes the sample configuration file from the declarations of the options.

python -m nova.config_sample > etc/nova/nova.conf.sample
"""

import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from oslo_config import cfg

from nova.config import declared_options

_WIDTH = 88

_HEAD = """\
# Sample of nova.conf: every option of this project with its default.
# Written by python -m nova.config_sample; change the declarations, not this file.
# The options of RabbitMQ ([oslo_messaging_rabbit]), logging, tokens
# ([keystone_authtoken]) and policy are described by those libraries.
"""


def sample() -> str:
    """Return the text of the sample file."""
    groups = declared_options()
    names = ["DEFAULT", *sorted(name for name in groups if name != "DEFAULT")]
    return _HEAD + "".join(_group(name, groups[name]) for name in names)


def _group(name: str, options: list[cfg.Opt]) -> str:
    ordered = sorted(options, key=lambda option: str(option.name))
    return f"\n[{name}]\n" + "".join("\n".join(_option(one)) + "\n" for one in ordered)


def _option(option: cfg.Opt) -> Iterator[str]:
    yield ""
    for line in textwrap.wrap(option.help or "", _WIDTH):
        yield f"# {line}"
    limits = _limits(option)
    if limits:
        yield f"# ({limits})"
    for value in _defaults(option):
        yield f"#{option.dest} = {value}".rstrip()


def _limits(option: cfg.Opt) -> str:
    kind: Any = option.type
    parts = []
    if getattr(kind, "min", None) is not None:
        parts.append(f"at least {kind.min}")
    if getattr(kind, "max", None) is not None:
        parts.append(f"at most {kind.max}")
    choices = getattr(kind, "choices", None)
    if choices:
        parts.append("one of " + ", ".join(str(choice) for choice in choices))
    return "; ".join(parts)


def _defaults(option: cfg.Opt) -> list[str]:
    if option.sample_default is not None:
        return [_text(option.sample_default)]
    if option.default is None:
        return ["<unset>"]
    if option.multi:
        return [_text(value) for value in option.default] or [""]
    return [_text(option.default)]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(str(one) for one in value)
    if isinstance(value, dict):
        return ",".join(f"{key}:{one}" for key, one in value.items())
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(sample())
