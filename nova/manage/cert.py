"""nova-manage cert: certificates of users, by way of nova-cert."""

import argparse

from nova import exception
from nova.cert.rpcapi import CertAPI
from nova.manage.command import Argument, Command, Environment
from nova.manage.output import Result


def revoke(env: Environment, args: argparse.Namespace) -> Result:
    """Put certificates on the revocation list; neither project nor user need exist any more."""
    cert = env.daemons().client(CertAPI).anyone()
    if args.user and args.project:
        count = cert.revoke_certs_by_user_and_project(env.context, args.user, args.project)
    elif args.user:
        count = cert.revoke_certs_by_user(env.context, args.user)
    elif args.project:
        count = cert.revoke_certs_by_project(env.context, args.project)
    else:
        raise exception.InvalidInput(reason="Name a user, a project, or both.")
    whose = " in ".join(
        f"{kind} {name}" for kind, name in (("user", args.user), ("project", args.project)) if name
    )
    if not count:
        return Result(message=f"There are no valid certificates of {whose}. Are these the ids?")
    return Result(message=f"Revoked certificates of {whose}: {count}")


COMMANDS = (
    Command(
        category="cert",
        name="revoke",
        help="revoke certificates of a user, of a project, or of a user in a project",
        run=revoke,
        arguments=(
            Argument("--user", help="id of the user"),
            Argument("--project", help="id of the project"),
        ),
    ),
)
