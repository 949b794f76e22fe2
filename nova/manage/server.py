"""nova-manage server: why a server is where it is."""

import argparse
import dataclasses

from nova.manage.command import Argument, Command, Environment, never
from nova.manage.output import Result
from nova.objects.instance import Scope
from nova.objects.request_spec import PlacementReport

_COLUMNS = ("Attempt", "Stage", "Host", "Outcome", "Detail")

Row = tuple[int, str, str | None, str, str]


def explain(env: Environment, args: argparse.Namespace) -> Result:
    """Show every placement attempt: hosts, filters, weights, choice."""
    reports = env.instances.explain(env.context, Scope(), args.server)
    return Result(
        columns=_COLUMNS,
        rows=tuple(row for report in reports for row in _rows(report)),
        message="" if reports else f"Server {args.server} has not been through the scheduler yet.",
        document=[dataclasses.asdict(report) for report in reports],
    )


def _rows(report: PlacementReport) -> list[Row]:
    number = report.attempt
    rows: list[Row] = [(number, "considered", None, f"{report.considered} hosts", "")]
    for result in report.filters:
        outcome = f"{result.before} -> {result.after} hosts"
        rows.append((number, result.name, None, outcome, ""))
        rows += [
            (number, result.name, rejection.host, "rejected", rejection.reason)
            for rejection in result.rejected
        ]
    for host in report.weighed:
        parts = ", ".join(f"{name} {value:+.3f}" for name, value in sorted(host.parts.items()))
        rows.append((number, "weighers", host.host, f"weight {host.weight:.3f}", parts))
    for chosen in report.destinations:
        for index, destination in enumerate(chosen):
            outcome = "chosen" if index == 0 else f"alternate {index}"
            rows.append((number, "destination", destination.host, outcome, ""))
    rows.append((number, "summary", None, report.summary, ""))
    return rows


COMMANDS = (
    Command(
        category="server",
        name="explain",
        help="tell why a server was placed where it is, or nowhere",
        run=explain,
        changes=never,
        arguments=(Argument("server", metavar="ID", help="uuid of the server"),),
    ),
)
