"""Projects, users, roles and endpoints in Keystone; safe to repeat."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from standup import rest


@dataclass(frozen=True)
class User:
    """An account in the default domain and its roles: pairs of project and role."""

    name: str
    password: str
    grants: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Service:
    """An entry of the catalogue. urls maps an interface (public, internal, admin) to an address."""

    kind: str
    name: str
    urls: Mapping[str, str]


def standard_users(password_of: Callable[[str], str]) -> list[User]:
    """Return the users of a small cloud.

    An administrator, tenants and the services' own accounts.
    """
    service = [("service", "admin"), ("service", "service")]
    grants: dict[str, Sequence[tuple[str, str]]] = {
        "admin": [("admin", "admin"), ("demo", "admin")],
        "demo": [("demo", "member")],
        "alt_demo": [("alt_demo", "member")],
        "demo_reader": [("demo", "reader")],
        "nova": service,
        "glance": service,
    }
    return [User(name, password_of(name), pairs) for name, pairs in grants.items()]


class Catalog:
    """Writes to Keystone what is not there yet."""

    def __init__(self, session: rest.Session) -> None:
        self.session = session
        self.root = session.credentials.auth_url
        self._ids: dict[tuple[str, str], str] = {}

    def ensure_projects(self, names: Sequence[str]) -> None:
        """Make projects of the default domain."""
        for name in names:
            self._ensure("project", name, domain_id="default")

    def ensure_user(self, user: User) -> None:
        """Make a user if it is missing, and grant the roles.

        An existing one keeps its password: setting it would end the user's tokens, ours included.
        """
        user_id = self._ensure("user", user.name, domain_id="default", password=user.password)
        for project, role in user.grants:
            project_id, role_id = self._ensure("project", project), self._ensure("role", role)
            url = f"{self.root}/projects/{project_id}/users/{user_id}/roles/{role_id}"
            self.session.call("PUT", url)

    def ensure_service(self, service: Service) -> None:
        """Make a service with its endpoints; endpoints that point elsewhere are moved."""
        found = self.session.get(f"{self.root}/services?type={service.kind}")["services"]
        body = {"service": {"type": service.kind, "name": service.name}}
        made = found or [self.session.call("POST", f"{self.root}/services", body).body["service"]]
        service_id = made[0]["id"]
        listed = self.session.get(f"{self.root}/endpoints?service_id={service_id}")["endpoints"]
        present = {entry["interface"]: entry for entry in listed}
        for interface, url in service.urls.items():
            endpoint = {
                "interface": interface,
                "region_id": "RegionOne",
                "service_id": service_id,
                "url": url,
            }
            if interface not in present:
                self.session.call("POST", f"{self.root}/endpoints", {"endpoint": endpoint})
            elif present[interface]["url"] != url:
                address = f"{self.root}/endpoints/{present[interface]['id']}"
                self.session.call("PATCH", address, {"endpoint": {"url": url}})

    def project_id(self, name: str) -> str:
        """Return the id of a project that exists."""
        return self._ensure("project", name)

    def _find(self, kind: str, name: str) -> str | None:
        if (kind, name) not in self._ids:
            entries = self.session.get(f"{self.root}/{kind}s?name={name}")[f"{kind}s"]
            if not entries:
                return None
            self._ids[kind, name] = entries[0]["id"]
        return self._ids[kind, name]

    def _ensure(self, kind: str, name: str, **values: str) -> str:
        found = self._find(kind, name)
        if found:
            return found
        made = self.session.call(
            "POST", f"{self.root}/{kind}s", {kind: {"name": name, **values}}
        ).body
        self._ids[kind, name] = made[kind]["id"]
        return self._ids[kind, name]


def ensure_image(
    session: rest.Session, image_url: str, name: str, content: bytes, **values: object
) -> str:
    """Upload a public image unless an active one of this name exists; return its id."""
    for entry in session.get(f"{image_url}/v2/images?name={name}")["images"]:
        if entry["status"] == "active":
            return str(entry["id"])
        session.call("DELETE", f"{image_url}/v2/images/{entry['id']}")
    body = {"name": name, "container_format": "bare", "visibility": "public", **values}
    image_id = str(session.call("POST", f"{image_url}/v2/images", body).body["id"])
    session.call("PUT", f"{image_url}/v2/images/{image_id}/file", content)
    return image_id
