"""AZ-10: the account of nova has the roles that the documentation names, and no others."""

import pathlib
import re

from standup import catalog

INSTALL = pathlib.Path(__file__).resolve().parents[3] / "doc" / "admin" / "install.md"
DOCUMENTED = re.compile(r"^openstack role add --project (\w+) --user nova (\w+)$", re.MULTILINE)


def test_az_10_nova_has_exactly_the_documented_roles() -> None:
    documented = DOCUMENTED.findall(INSTALL.read_text())
    (nova,) = (user for user in catalog.standard_users(lambda name: "x") if user.name == "nova")
    assert (
        sorted(nova.grants) == sorted(documented) == [("service", "admin"), ("service", "service")]
    )


def test_az_10_the_account_is_in_no_tenants_project() -> None:
    users = {user.name: user for user in catalog.standard_users(lambda name: "x")}
    assert {project for project, _role in users["nova"].grants} == {"service"}
    tenants = {project for name in ("demo", "alt_demo") for project, _ in users[name].grants}
    assert "service" not in tenants
