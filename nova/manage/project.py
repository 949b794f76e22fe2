"""nova-manage project: what projects have."""

import argparse

from nova.exception import SecurityGroupInUse
from nova.manage.command import Argument, Command, Environment
from nova.manage.output import Result
from nova.objects.instance import Scope
from nova.objects.security_group import SecurityGroup, SecurityGroupQuery

_DEFAULT = "default"
_PAGE = 1000


def scrub(env: Environment, args: argparse.Namespace) -> Result:
    """Take its networks from a project; delete its security groups that no server is in."""
    taken = env.networks.disassociate_all(env.context, args.project)
    deleted = [group for group in _groups(env, args.project) if _delete(env, group)]
    return Result(
        message=f"{len(taken)} networks were taken from project {args.project}, and "
        f"{len(deleted)} security groups deleted.",
        document={
            "networks": [network.uuid for network in taken],
            "security_groups": [group.uuid for group in deleted],
        },
    )


def _groups(env: Environment, project_id: str) -> list[SecurityGroup]:
    """Return the groups of a project but for "default", which every project has."""
    found: list[SecurityGroup] = []
    while True:
        # Nobody is named as the one whose "default" group is made.
        query = SecurityGroupQuery(
            scope=Scope(project_id=project_id), project_id="", limit=_PAGE, offset=len(found)
        )
        page = env.security_groups.page(env.context, query)
        found += page
        if len(page) < _PAGE:
            return [group for group in found if group.name != _DEFAULT]


def _delete(env: Environment, group: SecurityGroup) -> bool:
    """Delete a group; tell whether no server was in it."""
    try:
        env.security_groups.delete(env.context, Scope(), group.uuid)
    except SecurityGroupInUse:
        return False
    return True


COMMANDS = (
    Command(
        category="project",
        name="scrub",
        help="take its networks from a project, and delete its unused security groups",
        run=scrub,
        arguments=(Argument("--project", required=True, help="project"),),
    ),
)
