"""nova-manage service: the daemons that report."""

import argparse

from nova import exception
from nova.manage.command import Argument, Command, Environment, never
from nova.manage.output import Result
from nova.objects.service import Service, ServiceChange

_COLUMNS = ("Binary", "Host", "Zone", "Status", "State", "Updated_At")


def list_services(env: Environment, args: argparse.Namespace) -> Result:
    """List daemons with status and state."""
    services = env.hosts.list_services(env.context, host=args.host, binary=args.service)
    rows = tuple(_row(service) for service in services)
    return Result(columns=_COLUMNS, rows=rows, message="" if rows else "No services found.")


def enable(env: Environment, args: argparse.Namespace) -> Result:
    """Let a daemon take new work."""
    change = ServiceChange(disabled=False, disabled_reason=None)
    return _update(env, args, change, "enabled")


def disable(env: Environment, args: argparse.Namespace) -> Result:
    """Keep new work from a daemon."""
    change = ServiceChange(disabled=True, disabled_reason=args.reason)
    return _update(env, args, change, "disabled")


def _update(env: Environment, args: argparse.Namespace, change: ServiceChange, verb: str) -> Result:
    if "/" in args.host or "/" in args.service:
        raise exception.InvalidInput(reason="host and service are plain names, without a slash.")
    service = env.hosts.update_service(env.context, f"{args.host}/{args.service}", change)
    return Result(
        message=f"Service {service.binary} on host {service.host} {verb}.",
        document=dict(zip(_KEYS, _row(service), strict=True)),
    )


_KEYS = tuple(column.lower() for column in _COLUMNS)


def _row(service: Service) -> tuple[str | None, ...]:
    return (
        service.binary,
        service.host,
        service.availability_zone,
        "disabled" if service.disabled else "enabled",
        ":-)" if service.is_up else "XXX",
        service.last_seen_up.isoformat(" ", "seconds") if service.last_seen_up else None,
    )


_NAMES = (
    Argument("--host", required=True, help="host of the daemon"),
    Argument("--service", required=True, help="name of the daemon, such as nova-compute"),
)

COMMANDS = (
    Command(
        category="service",
        name="list",
        help="list the daemons",
        run=list_services,
        changes=never,
        arguments=(
            Argument("--host", help="only those on this host"),
            Argument("--service", help="only those of this name"),
        ),
    ),
    Command(
        category="service", name="enable", help="enable a daemon", run=enable, arguments=_NAMES
    ),
    Command(
        category="service",
        name="disable",
        help="disable a daemon",
        run=disable,
        arguments=(*_NAMES, Argument("--reason", help="why, for other administrators")),
    ),
)
