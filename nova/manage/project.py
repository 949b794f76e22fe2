"""nova-manage project: what projects have."""

import argparse

from nova.manage.command import Argument, Command, Environment
from nova.manage.output import Result


def scrub(env: Environment, args: argparse.Namespace) -> Result:
    """Take its networks from a project; its security groups stay."""
    taken = env.networks.disassociate_all(env.context, args.project)
    return Result(
        message=f"{len(taken)} networks were taken from project {args.project}. "
        "Its security groups stay.",
        document={"networks": [network.uuid for network in taken]},
    )


COMMANDS = (
    Command(
        category="project",
        name="scrub",
        help="take its networks from a project",
        run=scrub,
        arguments=(Argument("--project", required=True, help="project"),),
    ),
)
