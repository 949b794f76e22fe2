"""One line of the explanation of a server's path."""

import dataclasses
import enum

from nova.objects.path import CountedRule

SERVER = "server"


class Verdict(enum.StrEnum):
    """Whether something is as it has to be."""

    OK = "ok"
    PROBLEM = "PROBLEM"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was found at one place of the path, and what to do if it is not right.

    subject: "server", a tap, a group or a floating address.
    """

    subject: str
    check: str
    verdict: Verdict
    found: str
    advice: str = ""


def ok(subject: str, check: str, found: str, advice: str = "") -> Line:
    """Return a line about something that is right."""
    return Line(subject=subject, check=check, verdict=Verdict.OK, found=found, advice=advice)


def problem(subject: str, check: str, found: str, advice: str) -> Line:
    """Return a line about something that is wrong."""
    return Line(subject=subject, check=check, verdict=Verdict.PROBLEM, found=found, advice=advice)


def counted(rule: CountedRule) -> str:
    """Return what a rule has met."""
    return f"{rule.packets} packets, {rule.bytes} bytes"
