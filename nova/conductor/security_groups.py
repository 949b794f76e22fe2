"""Which security groups a project has: so far the one that every project has, "default"."""

from collections.abc import Sequence

from nova.exception import SecurityGroupInvalid, SecurityGroupNotFound
from nova.objects.instance import Instance

DEFAULT = "default"


def find(name: str) -> str:
    """Return the group of a name.  Raises: SecurityGroupNotFound."""
    if name != DEFAULT:
        raise SecurityGroupNotFound(name=name)
    return name


def check_all(names: Sequence[str]) -> None:
    """Refuse a new server in groups that do not exist.  Raises: SecurityGroupInvalid."""
    for name in names:
        if name != DEFAULT:
            raise SecurityGroupInvalid(reason=f"There is no security group {name}.")


def with_group(instance: Instance, name: str) -> tuple[str, ...]:
    """Return a server's groups and one more.  Raises: SecurityGroupInvalid."""
    if name in instance.security_groups:
        reason = f"Instance {instance.uuid} is in security group {name} already."
        raise SecurityGroupInvalid(reason=reason)
    return (*instance.security_groups, name)


def without_group(instance: Instance, name: str) -> tuple[str, ...]:
    """Return a server's groups without one of them.  Raises: SecurityGroupInvalid."""
    if name not in instance.security_groups:
        reason = f"Instance {instance.uuid} is not in security group {name}."
        raise SecurityGroupInvalid(reason=reason)
    return tuple(other for other in instance.security_groups if other != name)
