"""Writes the sample policy file from the declarations of the rules.

python -m nova.policy_sample > etc/nova/policy.yaml.sample
"""

import json
import sys
from collections.abc import Iterator

from nova.api.networking import app as networking
from nova.api.openstack import app as compute
from nova.api.openstack.resource import Route
from nova.policy import BASE_RULES

_HEAD = """\
# Sample of policy.yaml: every rule with its default and the routes that it guards.
# Written by python -m nova.policy_sample; change the declarations, not this file.
# Take a line over, without its #, to change a rule.  The file is read again when it changes.
# It lies beside nova.conf; policy_file in [oslo_policy] of nova.conf may name another one.
"""
_BASE = """\

# --- Rules that others are made of
"""
_PARTS = "# (part of a request or an answer, or whose objects may be reached)"


def sample() -> str:
    """Return the text of the sample file."""
    lines = [_rule(name, check) for name, check in BASE_RULES.items()]
    return _HEAD + _BASE + "\n".join(lines) + "\n" + "".join(_sections())


def _sections() -> Iterator[str]:
    guarded: dict[str, list[Route]] = {}
    for resource in (*compute.RESOURCES, *networking.RESOURCES):
        for route in resource.routes:
            guarded.setdefault(route.rule or "", []).append(route)
    prefix = None
    rules = compute.default_rules() | networking.default_rules()
    for name, check in sorted(rules.items()):
        found = ":".join(name.split(":")[:2])
        if found != prefix:
            prefix = found
            yield f"\n# --- {prefix}\n"
        routes = guarded.get(name, ())
        about = [_line(route) for route in routes] or [_PARTS]
        yield "\n" + "\n".join([*about, _rule(name, check)]) + "\n"


def _line(route: Route) -> str:
    action = f" ({route.action})" if route.action else ""
    versions = "Networking API" if route.rule in networking.default_rules() else route.versions
    return f"# {route.method} {route.path}{action}, {versions}"


def _rule(name: str, check: str) -> str:
    # JSON text is YAML text, whatever signs a rule is written with.
    return f"#{json.dumps(name)}: {json.dumps(check)}"


if __name__ == "__main__":
    sys.stdout.write(sample())
