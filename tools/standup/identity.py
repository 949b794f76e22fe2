"""Real Keystone and Glance, each behind gunicorn on the loopback.

Both live in one virtual environment of their own: their pins must not meet nova's.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from standup import ini, ports, rest, run, venvs
from standup.accounts import close
from standup.errors import StandupError
from standup.manager import ProcessManager, wait_until
from standup.program import Program

# Paste and keystoneclient import pkg_resources, which newer releases of setuptools lack.
REQUIREMENTS = (
    "keystone==30.0.0",
    "glance==33.0.0",
    "gunicorn==27.*",
    "python-openstackclient",
    "setuptools<81",
)
CONSTRAINTS = Path(__file__).with_name("identity-constraints.txt")


@dataclass(frozen=True)
class Site:
    """Where Keystone and Glance live and how they are reached.

    hash_rounds is the bcrypt cost of passwords: 12 for people, 4 makes tests' tokens ten times
    cheaper.
    """

    directory: Path
    venv: Path
    identity_port: int
    image_port: int
    admin_password: str
    glance_password: str
    hash_rounds: int = 12
    users: dict[str, str] = field(default_factory=dict)

    @property
    def auth_url(self) -> str:
        """Keystone's version 3 root on the loopback."""
        return f"http://{ports.LOOPBACK}:{self.identity_port}/v3"

    @property
    def image_url(self) -> str:
        """Glance's root on the loopback."""
        return f"http://{ports.LOOPBACK}:{self.image_port}"

    def admin(self) -> rest.Session:
        """Return a session of the cloud's administrator."""
        return rest.Session(rest.Credentials(self.auth_url, "admin", self.admin_password, "admin"))

    def user_of(self, service: str) -> str | None:
        """Return the account a service runs as, None for ours."""
        return self.users.get(service)


def install(venv: Path, log: Path) -> bool:
    """Make the virtual environment of both servers; return whether there was anything to do."""
    arguments = ["--constraint", str(CONSTRAINTS), *REQUIREMENTS]
    return venvs.ensure(venv, f"{REQUIREMENTS} {CONSTRAINTS.read_text()}", [arguments], log)


def prepare(site: Site) -> None:
    """Write the configuration, make keys and schemas, and bootstrap Keystone's administrator.

    Safe to repeat.
    """
    _write_keystone(site)
    _write_glance(site)
    # Keystone insists on naming the account that owns its keys.
    keystone_home = site.directory / "keystone"
    if (keystone_home / "ready").exists() and (site.directory / "glance" / "ready").exists():
        return
    _migrate_both(site)
    log, settings = keystone_home / "manage.log", _settings(site, "keystone")
    command = [*_manage(site, "keystone"), "bootstrap", "--bootstrap-username", "admin"]
    urls = [f"--bootstrap-{kind}-url={site.auth_url}" for kind in ("admin", "public", "internal")]
    names = [
        "--bootstrap-project-name=admin",
        "--bootstrap-role-name=admin",
        "--bootstrap-service-name=keystone",
    ]
    password = {"OS_BOOTSTRAP_PASSWORD": site.admin_password}
    environment = {**settings.environment, **password}
    run.logged(
        [*command, *urls, *names, "--bootstrap-region-id=RegionOne"],
        log,
        run.Settings(settings.user, settings.directory, environment),
    )
    for service in ("keystone", "glance"):
        (site.directory / service / "ready").touch()


def start(site: Site, manager: ProcessManager) -> None:
    """Start both servers and wait until they answer."""
    for service, module in (("keystone", "keystone.wsgi.api"), ("glance", "glance.wsgi.api")):
        home = site.directory / service
        port = site.identity_port if service == "keystone" else site.image_port
        (home / "gunicorn.py").write_text(_gunicorn(module, port, home))
        close(home, site.user_of(service))
        # Keystone parses the process's arguments itself, so gunicorn is started without any.
        ports.claim(port, manager, service)
        environment = {
            "GUNICORN_CMD_ARGS": f"-c {home}/gunicorn.py",
            **_settings(site, service).environment,
        }
        command = (str(site.venv / "bin" / "gunicorn"),)
        manager.start(
            Program(
                service,
                command,
                str(home / f"{service}.log"),
                site.user_of(service),
                environment=environment,
                directory=str(home),
                tier=1,
            )
        )
    for url, service in ((f"{site.auth_url}", "keystone"), (f"{site.image_url}/", "glance")):
        log = site.directory / service / f"{service}.log"
        wait_until(lambda url=url: _answers(url), 90, f"{service} does not answer at {url}", log)  # type: ignore[misc]


def _answers(url: str) -> bool:
    try:
        rest.request("GET", url, timeout_s=10)
    except rest.HttpError as error:
        return error.status < 500
    except StandupError:
        return False
    return True


def _migrate_both(site: Site) -> None:
    """Make keys and both schemas, the two schemas side by side."""

    def keystone() -> None:
        user, settings = _account(site, "keystone"), _settings(site, "keystone")
        log = site.directory / "keystone" / "manage.log"
        for verb in ("fernet_setup", "credential_setup"):
            owner = [f"--keystone-user={user}", f"--keystone-group={user}"]
            run.logged([*_manage(site, "keystone"), verb, *owner], log, settings)
        run.logged([*_manage(site, "keystone"), "db_sync"], log, settings)

    def glance() -> None:
        log = site.directory / "glance" / "manage.log"
        run.logged([*_manage(site, "glance"), "db_sync"], log, _settings(site, "glance"))

    with ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(keystone), pool.submit(glance)]:
            job.result()


def _account(site: Site, service: str) -> str:
    return site.user_of(service) or os.environ.get("USER") or "root"


def _manage(site: Site, service: str) -> list[str]:
    file = (
        site.directory / service / ("keystone.conf" if service == "keystone" else "glance-api.conf")
    )
    return [str(site.venv / "bin" / f"{service}-manage"), "--config-file", str(file)]


def _settings(site: Site, service: str) -> run.Settings:
    home = site.directory / service
    environment = {
        f"OS_{service.upper()}_CONFIG_DIR": str(home),
        "HOME": str(home),
        "PYTHONWARNINGS": "ignore",
    }
    return run.Settings(site.user_of(service), home, environment)


def _write_keystone(site: Site) -> None:
    home = site.directory / "keystone"
    for name in ("fernet", "receipts", "credential"):
        (home / name).mkdir(parents=True, exist_ok=True)
        (home / name).chmod(0o700)
    values = {
        "database": {"connection": f"sqlite:///{home}/keystone.sqlite"},
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": f"{home}/fernet"},
        "fernet_receipts": {"key_repository": f"{home}/receipts"},
        "credential": {"key_repository": f"{home}/credential"},
        "cache": {"enabled": "true", "backend": "dogpile.cache.memory"},
        "identity": {"password_hash_rounds": str(site.hash_rounds)},
        "oslo_policy": {"enforce_scope": "true", "enforce_new_defaults": "true"},
    }
    ini.write(home / "keystone.conf", values)
    close(home, site.user_of("keystone"))


def _write_glance(site: Site) -> None:
    home = site.directory / "glance"
    for name in ("images", "staging", "tasks"):
        (home / name).mkdir(parents=True, exist_ok=True)
    values = {
        "DEFAULT": {
            "enabled_backends": "fs:file",
            # Without the brackets every creation of an image answers 500.
            "enabled_import_methods": "[glance-direct,copy-image]",
            "worker_self_reference_url": site.image_url,
        },
        "database": {"connection": f"sqlite:///{home}/glance.sqlite"},
        "keystone_authtoken": service_login(site.auth_url, "glance", site.glance_password)
        | {"www_authenticate_uri": site.auth_url},
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": f"{site.venv}/etc/glance/glance-api-paste.ini",
        },
        "glance_store": {"default_backend": "fs"},
        "fs": {"filesystem_store_datadir": f"{home}/images"},
        "os_glance_staging_store": {"filesystem_store_datadir": f"{home}/staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": f"{home}/tasks"},
        "oslo_policy": {"enforce_scope": "true", "enforce_new_defaults": "true"},
    }
    ini.write(home / "glance-api.conf", values)
    close(home, site.user_of("glance"))


def service_login(auth_url: str, user: str, password: str) -> dict[str, str]:
    """Return the keystoneauth options of a service's account."""
    return {
        "auth_url": auth_url,
        "auth_type": "password",
        "username": user,
        "password": password,
        "project_name": "service",
        "user_domain_id": "default",
        "project_domain_id": "default",
    }


def _gunicorn(module: str, port: int, home: Path) -> str:
    """Return gunicorn's configuration: one thread, because SQLite refuses concurrent writers."""
    return (
        f"bind = '{ports.LOOPBACK}:{port}'\n"
        f"wsgi_app = '{module}:application'\n"
        "workers = 1\n"
        "worker_class = 'gthread'\n"
        "threads = 1\n"
        "timeout = 120\n"
        "keepalive = 5\n"
        f"worker_tmp_dir = '{home}'\n"
        # A control socket in the account's home would collide between two instances.
        "control_socket_disable = True\n"
    )
