"""nova-api reads bundles from the object store itself, in the name of a project."""

import pathlib
import threading
import wsgiref.simple_server
from collections.abc import Iterator
from typing import Any

import pytest
from oslo_config import cfg

from nova.exception import BundleNotFound, BundleStoreUnavailable
from nova.image.bundle.source import Place, S3BundleSource, SourceSettings
from tests.fixtures.s3_site import S3Site

OBJECT = Place.of("box/dir/web.manifest.xml")


class _Silent(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site(conf: cfg.ConfigOpts, tmp_path: pathlib.Path) -> S3Site:
    made = S3Site(conf, tmp_path)
    owner = made.wire("owner", "demo", "member", "reader")
    assert owner.send("PUT", "/box").status == 200
    assert owner.send("PUT", "/box/dir/web.manifest.xml", b"manifest").status == 200
    return made


@pytest.fixture
def port(site: S3Site) -> Iterator[int]:
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, site.app, handler_class=_Silent)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _read(site: S3Site, port: int, project: str, *roles: str) -> bytes:
    key = site.wire("nova", "service", *roles).key
    assert key is not None
    settings = SourceSettings(
        host="127.0.0.1", port=port, access_key=key.access, secret_key=key.secret
    )
    return b"".join(S3BundleSource(settings).read(project, OBJECT, 1000))


def test_a_service_reads_what_the_project_owns(site: S3Site, port: int) -> None:
    assert _read(site, port, "demo", "service") == b"manifest"
    with pytest.raises(BundleNotFound):
        _read(site, port, "other", "service")
    with pytest.raises(BundleNotFound):
        _read(site, port, "other", "service", "admin")


@pytest.mark.parametrize("roles", [(), ("member",), ("reader", "member"), ("admin",)])
def test_ec_08_nobody_else_names_a_project(site: S3Site, port: int, roles: tuple[str, ...]) -> None:
    with pytest.raises(BundleNotFound):
        _read(site, port, "demo", *roles)


def test_a_project_that_can_not_be_one_is_refused(site: S3Site, port: int) -> None:
    with pytest.raises(BundleStoreUnavailable):
        _read(site, port, "a/b", "service")


@pytest.mark.parametrize("signer", ["v2", "v2 query", "v4 query"])
def test_ec_08_a_header_that_is_not_signed_names_nobody(site: S3Site, signer: str) -> None:
    service = site.again(site.wire("nova", "service", "service"), signer)
    named = {"x-nova-project-id": "demo"}
    assert service.send("GET", "/box/dir/web.manifest.xml", b"", named).status == 403
    assert site.anybody().send("GET", "/box/dir/web.manifest.xml", b"", named).status == 403


def test_ec_08_a_header_put_in_on_the_way_names_nobody(site: S3Site) -> None:
    service = site.wire("nova", "service", "service")
    added = service.sign("GET", "/box/dir/web.manifest.xml")
    added.headers["x-nova-project-id"] = "demo"
    assert service.deliver(added).code == "AccessDenied"
    named = {"x-nova-project-id": "other"}
    changed = service.sign("GET", "/box/dir/web.manifest.xml", b"", named)
    changed.headers.replace_header("x-nova-project-id", "demo")
    assert service.deliver(changed).code == "SignatureDoesNotMatch"


def test_ec_08_a_service_changes_nothing(site: S3Site) -> None:
    service = site.wire("nova", "service", "service")
    named = {"x-nova-project-id": "demo"}
    path = "/box/dir/web.manifest.xml"
    assert service.send("GET", path, b"", named).body == b"manifest"
    for method, target in (
        ("PUT", path),
        ("DELETE", path),
        ("DELETE", "/box"),
        ("PUT", "/box2"),
        ("PUT", "/box?acl"),
    ):
        assert service.send(method, target, b"", named).code == "AccessDenied", (method, target)
