"""The Glance client against a real Keystone and Glance, named by the usual OS_* variables.

OS_* are the credentials of an administrator; OS_OTHER_USERNAME, OS_OTHER_PROJECT_NAME and
OS_OTHER_PASSWORD those of somebody else; OS_SERVICE_* those of the account of the compute hosts.
"""

import contextlib
import dataclasses
import datetime
import os
import socket
import urllib.parse
import uuid

import pytest
from keystoneauth1 import adapter, loading, session
from keystoneauth1.identity import v3
from oslo_config import cfg

from nova import exception
from nova.image import opts
from nova.image.connect import glance_from_config
from nova.image.source import CheckedImages
from nova.objects.image import ImageChange, ImageQuery, NewImage
from tests.fixtures import images
from tests.fixtures.daemons import wait_for

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not {"OS_AUTH_URL", "OS_OTHER_USERNAME"} <= os.environ.keys(),
        reason="no real Keystone and Glance are named (OS_AUTH_URL, OS_OTHER_USERNAME, ...)",
    ),
]

CONTENT = images.qcow2() + os.urandom(3_000_000)


def credentials(kind: str) -> dict[str, str]:
    """Return what keystoneauth's password plugin needs; kind is OS or OS_OTHER."""
    return {
        "auth_url": os.environ["OS_AUTH_URL"],
        "username": os.environ[f"{kind}_USERNAME"],
        "password": os.environ[f"{kind}_PASSWORD"],
        "project_name": os.environ[f"{kind}_PROJECT_NAME"],
        "user_domain_id": os.environ.get("OS_USER_DOMAIN_ID", "default"),
        "project_domain_id": os.environ.get("OS_PROJECT_DOMAIN_ID", "default"),
    }


def token_of(kind: str) -> str:
    return session.Session(auth=v3.Password(**credentials(kind))).get_token()


@pytest.fixture(scope="module")
def admin():
    """Return an adapter for the image API, to prepare images with."""
    own = session.Session(auth=v3.Password(**credentials("OS")))
    return adapter.Adapter(own, service_type="image", interface="public")


@pytest.fixture
def make_image(admin):
    made = []

    def make(content=CONTENT, **fields):
        body = {"name": "test", "disk_format": "qcow2", "container_format": "bare", **fields}
        image_id = admin.post("/v2/images", json=body).json()["id"]
        made.append(image_id)
        if content is not None:
            headers = {"Content-Type": "application/octet-stream"}
            admin.put(f"/v2/images/{image_id}/file", data=content, headers=headers)
        return image_id

    yield make
    for image_id in made:
        admin.delete(f"/v2/images/{image_id}", raise_exc=False)


@pytest.fixture(scope="module")
def service():
    """Return the client as a daemon makes it from its configuration."""
    return make_service("OS")


@pytest.fixture(scope="module")
def of_host():
    """Return the client of a compute host, with the service's own account."""
    if "OS_SERVICE_USERNAME" not in os.environ:
        pytest.skip("no account of the compute hosts is named (OS_SERVICE_USERNAME, ...)")
    return make_service("OS_SERVICE")


def make_service(kind):
    config = cfg.ConfigOpts()
    for group, options in opts.OPTS.items():
        config.register_opts(options, group=group)
    config([])
    config.register_opts(loading.get_auth_plugin_conf_options("password"), group="service_user")
    for name, value in {"auth_type": "password", **credentials(kind)}.items():
        config.set_override(name, value, "service_user")
    config.set_override("valid_interfaces", ["public"], "glance")
    return glance_from_config(config)


def test_describes_and_downloads(service, make_image, tmp_path):
    image_id = make_image(min_disk=3, min_ram=64, hw_disk_bus="virtio")
    image = service.get(None, image_id)
    assert (image.status, image.size_bytes) == ("active", len(CONTENT))
    assert (image.min_disk_gb, image.min_ram_mb) == (3, 64)
    assert image.properties["hw_disk_bus"] == "virtio"
    assert image.os_hash_algo == "sha512"
    path = tmp_path / "file"
    service.download(None, image, str(path))
    assert path.read_bytes() == CONTENT


def test_img_17_private_image_exists_for_its_owner_alone(service, make_image, tmp_path):
    image_id = make_image(visibility="private")
    image = service.get(token_of("OS"), image_id)
    with pytest.raises(exception.ImageNotFound):
        service.get(token_of("OS_OTHER"), image_id)
    with pytest.raises(exception.ImageNotFound):
        service.download(token_of("OS_OTHER"), image, str(tmp_path / "file"))


def test_public_image_exists_for_everybody(service, make_image):
    image_id = make_image(visibility="public")
    assert service.get(token_of("OS_OTHER"), image_id).visibility == "public"


@pytest.mark.parametrize("framing", ["Content-Length: 3000000", "Transfer-Encoding: chunked"])
def test_image_whose_upload_breaks_off_has_no_data(admin, make_image, framing):
    """A shelved server is taken off its host because its image is active."""
    image_id = make_image(content=None)
    url = urllib.parse.urlsplit(admin.get_endpoint())
    lines = [
        f"PUT {url.path.rstrip('/')}/v2/images/{image_id}/file HTTP/1.1",
        f"Host: {url.netloc}",
        f"X-Auth-Token: {admin.get_token()}",
        "Content-Type: application/octet-stream",
        framing,
    ]
    with socket.create_connection((url.hostname, url.port)) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        sock.sendall(b"f4240\r\n" + bytes(1_000_000) + b"\r\n")

    def show():
        return admin.get(f"/v2/images/{image_id}").json()

    wait_for(lambda: show()["status"] == "queued", "it has data")
    headers = {"Content-Type": "application/octet-stream"}
    admin.put(f"/v2/images/{image_id}/file", data=CONTENT, headers=headers)
    assert (show()["status"], show()["size"]) == ("active", len(CONTENT))


def test_wrong_token_is_refused(service, make_image):
    with pytest.raises(exception.ImageServiceForbidden):
        service.get("not-a-token", make_image())


def test_image_without_data_is_not_active(service, make_image, tmp_path):
    image = service.get(None, make_image(content=None))
    assert image.status == "queued"
    with pytest.raises(exception.ImageNotActive):
        service.download(None, image, str(tmp_path / "file"))


def test_deactivated_and_deleted_images(service, admin, make_image, tmp_path):
    image = service.get(None, make_image())
    admin.post(f"/v2/images/{image.id}/actions/deactivate")
    assert service.get(None, image.id).status == "deactivated"
    admin.delete(f"/v2/images/{image.id}")
    with pytest.raises(exception.ImageNotFound):
        service.get(None, image.id)
    with pytest.raises(exception.ImageNotFound):
        service.download(None, image, str(tmp_path / "file"))


def test_img_18_bytes_that_do_not_match_the_catalogue(service, make_image, tmp_path):
    image = service.get(None, make_image())
    wrong = dataclasses.replace(image, os_hash_value="0" * 128)
    with pytest.raises(exception.ImageCorrupt):
        service.download(None, wrong, str(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []


def test_checked_image_reaches_the_host(service, make_image, tmp_path):
    source = CheckedImages(service)
    image = source.get(make_image())
    facts = source.fetch(image, str(tmp_path / "file"))
    assert (facts.format, facts.virtual_size_bytes) == ("qcow2", images.SIZE)


# --- Writing


FORMATS = ImageChange(disk_format="qcow2", container_format="bare")


@pytest.fixture
def record(service):
    """Return the record of an image that an ordinary user has made."""
    token = token_of("OS_OTHER")
    new = NewImage(
        name=f"snap-{uuid.uuid4()}",
        min_disk_gb=2,
        min_ram_mb=64,
        properties={"image_type": "backup", "backup_type": "daily", "hw_disk_bus": "virtio"},
    )
    made = service.create(token, new)
    yield made
    with contextlib.suppress(exception.ImageNotFound):
        service.delete(token, made.id)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "contents"
    path.write_bytes(CONTENT)
    return str(path)


def test_host_fills_the_users_image_and_the_user_owns_it(service, of_host, record, file, tmp_path):
    assert (record.status, record.visibility, record.min_disk_gb) == ("queued", "private", 2)
    of_host.update(None, record.id, FORMATS)
    of_host.upload(None, record.id, file)
    of_host.upload(None, record.id, file)
    token = token_of("OS_OTHER")
    found = service.get(token, record.id)
    assert (found.status, found.size_bytes) == ("active", len(CONTENT))
    assert (found.owner, found.visibility) == (record.owner, "private")
    assert found.properties["backup_type"] == "daily"
    service.download(token, found, str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == CONTENT
    with pytest.raises(exception.ImageServiceForbidden):
        of_host.update(None, record.id, FORMATS)


def test_other_bytes_for_an_image_that_has_some_are_refused(of_host, record, file, tmp_path):
    of_host.update(None, record.id, FORMATS)
    of_host.upload(None, record.id, file)
    (tmp_path / "other").write_bytes(b"other")
    with pytest.raises(exception.ImageBusy):
        of_host.upload(None, record.id, str(tmp_path / "other"))


def test_host_finds_and_deletes_backups_of_one_owner(of_host, record):
    query = ImageQuery(
        owner=record.owner,
        statuses=("queued", "saving"),
        properties={"image_type": "backup", "backup_type": "daily"},
    )
    assert record.id in [found.id for found in of_host.page(None, query)]
    assert of_host.page(None, dataclasses.replace(query, owner="nobody")) == ()
    of_host.delete(None, record.id)
    with pytest.raises(exception.ImageNotFound):
        of_host.delete(None, record.id)


def test_properties_are_set_and_removed(service, record):
    token = token_of("OS_OTHER")
    change = ImageChange(
        set_properties={"hw_disk_bus": "scsi", "a/b~c": "1"}, remove_properties=("backup_type",)
    )
    after = service.update(token, record.id, change).properties
    assert after["hw_disk_bus"] == "scsi"
    assert after["a/b~c"] == "1"
    assert "backup_type" not in after
    with pytest.raises(exception.ImageBusy):
        service.update(token, record.id, ImageChange(remove_properties=("backup_type",)))


@pytest.mark.parametrize(
    ("visibility", "error"),
    [("private", exception.ImageNotFound), ("public", exception.ImageServiceForbidden)],
)
def test_img_17_a_stranger_changes_nothing(service, make_image, visibility, error):
    token, image_id = token_of("OS_OTHER"), make_image(visibility=visibility)
    with pytest.raises(error):
        service.delete(token, image_id)
    with pytest.raises(error):
        service.update(token, image_id, ImageChange(set_properties={"a": "1"}))
    assert service.get(None, image_id).status == "active"


def test_lists_are_filtered_and_come_in_pages(service, make_image):
    name = f"page-{uuid.uuid4()}"
    made = [make_image(name=name, min_ram=ram, kind="x") for ram in (0, 64, 64)]
    token = token_of("OS")

    def ids(**query):
        return [found.id for found in service.page(token, ImageQuery(name=name, **query))]

    assert ids() == made[::-1]
    assert ids(limit=2) == made[:0:-1]
    assert ids(limit=2, marker=made[1]) == made[:1]
    assert ids(min_ram_mb=64) == made[:0:-1]
    assert ids(properties={"kind": "x"}) == made[::-1]
    assert ids(properties={"kind": "y"}) == []
    assert ids(statuses=("active", "queued")) == made[::-1]
    assert ids(statuses=("queued",)) == []
    assert ids(changes_since=datetime.datetime(2020, 1, 1)) == made[::-1]
    assert ids(changes_since=datetime.datetime(2090, 1, 1)) == []
    with pytest.raises(exception.MarkerNotFound):
        ids(marker=str(uuid.uuid4()))
    assert service.page(token_of("OS_OTHER"), ImageQuery(name=name)) == ()
