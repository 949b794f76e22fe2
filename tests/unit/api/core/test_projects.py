"""Whether projects exist, as Keystone says at the edge of HTTP."""

import dataclasses

import pytest
import requests
from keystoneauth1 import session

from nova.api.core.projects import KeystoneProjects, keystone_projects
from tests.fixtures.rest import OTHER_PROJECT, PROJECT, make_rest_app
from tests.fixtures.rest_site import RestSite, make_rest_site
from tests.fixtures.time import FrozenClock, frozen_clock

__all__ = ["frozen_clock"]


@pytest.fixture
def keystone(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Answer requests; the last one is in the dictionary."""
    seen: dict[str, object] = {"status": 200}

    def send(self: session.Session, url: str, method: str, **options: object) -> object:
        seen.update(url=url, method=method, headers=options["headers"])
        if seen["status"] is None:
            raise session.exceptions.ConnectFailure("down")
        answer = requests.Response()
        answer.status_code = int(str(seen["status"]))
        return answer

    monkeypatch.setattr(session.Session, "request", send)
    return seen


@pytest.mark.parametrize(
    ("status", "unknown"), [(200, False), (404, True), (403, False), (500, False), (None, False)]
)
def test_only_404_says_that_there_is_no_project(
    keystone: dict[str, object], status: int | None, unknown: bool
) -> None:
    keystone["status"] = status
    projects = KeystoneProjects("http://keystone.test/v3")
    assert projects.is_unknown("secret", "a/b") is unknown
    assert keystone["url"] == "http://keystone.test/v3/projects/a%2Fb"
    assert keystone["method"] == "GET"
    headers = keystone["headers"]
    assert isinstance(headers, dict) and headers["X-Auth-Token"] == "secret"


@pytest.mark.parametrize("uri", ["http://k.test", "http://k.test/", "http://k.test/v3"])
def test_the_service_is_that_of_the_tokens(keystone: dict[str, object], uri: str) -> None:
    from_tokens = dataclasses.make_dataclass(
        "Group", ["www_authenticate_uri", "insecure", "cafile"]
    )
    group = from_tokens(uri, False, None)
    keystone_projects({"keystone_authtoken": group}).is_unknown("t", "p")  # type: ignore[arg-type]
    assert keystone["url"] == "http://k.test/v3/projects/p"


class OneProject:
    """Knows one project."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def is_unknown(self, token: str, project_id: str) -> bool:
        """Tell by the project's id."""
        self.asked.append(project_id)
        return project_id != PROJECT


def _site(clock: FrozenClock, projects: OneProject) -> RestSite:
    cloud = make_rest_site(clock)
    app = make_rest_app(cloud.bus, cloud.images, projects=projects)
    return dataclasses.replace(
        cloud,
        rest=dataclasses.replace(cloud.rest, app=app),
        admin=dataclasses.replace(cloud.admin, app=app),
    )


def test_unknown_projects_get_neither_quotas_nor_flavors(frozen_clock: FrozenClock) -> None:
    projects = OneProject()
    cloud = _site(frozen_clock, projects)
    body = {"flavor": {"name": "p", "id": "p", "ram": 1, "vcpus": 1, "disk": 1}}
    body["flavor"]["os-flavor-access:is_public"] = False
    assert cloud.admin.post("/flavors", body).status_int == 200
    for project, status in ((PROJECT, 200), (OTHER_PROJECT, 400)):
        path = f"/os-quota-sets/{project}"
        quotas = {"quota_set": {"cores": 1}}
        assert cloud.admin.get(path).status_int == status
        assert cloud.admin.get(f"{path}/detail").status_int == status
        assert cloud.admin.put(path, quotas).status_int == status
        assert cloud.admin.delete(path).status_int == 202
        add = {"addTenantAccess": {"tenant": project}}
        assert cloud.admin.post("/flavors/p/action", add).status_int == status


def test_the_own_project_is_not_asked_for(frozen_clock: FrozenClock) -> None:
    projects = OneProject()
    cloud = _site(frozen_clock, projects)
    assert cloud.rest.get(f"/os-quota-sets/{PROJECT}").status_int == 200
    assert cloud.rest.get(f"/os-quota-sets/{OTHER_PROJECT}").status_int == 403
    assert projects.asked == []
