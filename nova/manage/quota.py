"""nova-manage quota: limits of projects and users."""

import argparse

from nova import exception
from nova.manage.command import Argument, Command, Environment, never
from nova.manage.output import Result
from nova.objects.quota import UNLIMITED, QuotaSet


def show(env: Environment, args: argparse.Namespace) -> Result:
    """Show limits and what is used."""
    return _table(env.quotas.get(env.context, args.project, args.user))


def update(env: Environment, args: argparse.Namespace) -> Result:
    """Change one limit of a project or user."""
    limits = {args.key: _limit(args.value)}
    return _table(env.quotas.update(env.context, args.project, limits, user_id=args.user))


def delete(env: Environment, args: argparse.Namespace) -> Result:
    """Go back to the default limits."""
    env.quotas.delete(env.context, args.project, args.user)
    return Result(message=f"Project {args.project} has the default limits again.")


def defaults(env: Environment, args: argparse.Namespace) -> Result:
    """Show the default limits, or change one."""
    if (args.key is None) != (args.value is None):
        raise exception.InvalidInput(reason="--key and --value belong together.")
    if args.key is None:
        return _table(env.quotas.get_defaults(env.context))
    return _table(env.quotas.update_defaults(env.context, {args.key: _limit(args.value)}))


def project_quota(env: Environment, args: argparse.Namespace) -> Result:
    """Show a project's quotas; with a key, change one first."""
    if args.key is None:
        return show(env, args)
    if args.value is None:
        raise exception.InvalidInput(reason="--key needs a --value.")
    return update(env, args)


def _names_a_key(args: argparse.Namespace) -> bool:
    return args.key is not None


def _limit(text: str) -> int:
    if text == "unlimited":
        return UNLIMITED
    try:
        return int(text)
    except ValueError as error:
        raise exception.InvalidInput(
            reason=f"'{text}' is neither a number nor 'unlimited'."
        ) from error


def _table(quotas: QuotaSet) -> Result:
    rows = tuple(
        (
            usage.resource,
            "unlimited" if usage.limit == UNLIMITED else usage.limit,
            usage.in_use,
            usage.reserved,
        )
        for usage in quotas.resources
    )
    return Result(columns=("Quota", "Limit", "In Use", "Reserved"), rows=rows)


_PROJECT = (
    Argument("--project", required=True, help="id of the project"),
    Argument("--user", help="id of a user within the project"),
)
_KEY = "name of the limit, such as cores"
_VALUE = "the limit; -1 or 'unlimited' for none"

COMMANDS = (
    Command(
        category="quota",
        name="show",
        help="show limits and use",
        run=show,
        changes=never,
        arguments=_PROJECT,
    ),
    Command(
        category="quota",
        name="update",
        help="change a limit",
        run=update,
        arguments=(
            *_PROJECT,
            Argument("--key", required=True, help=_KEY),
            Argument("--value", required=True, help=_VALUE),
        ),
    ),
    Command(
        category="quota",
        name="delete",
        help="go back to the default limits",
        run=delete,
        arguments=_PROJECT,
    ),
    Command(
        category="quota",
        name="defaults",
        help="show or change the default limits",
        run=defaults,
        changes=_names_a_key,
        arguments=(Argument("--key", help=_KEY), Argument("--value", help=_VALUE)),
    ),
    Command(
        category="project",
        name="quota",
        help="show or change a project's limits (older form)",
        run=project_quota,
        changes=_names_a_key,
        arguments=(*_PROJECT, Argument("--key", help=_KEY), Argument("--value", help=_VALUE)),
    ),
)
