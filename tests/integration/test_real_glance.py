"""The Glance client against a real Keystone and Glance, named by the usual OS_* variables.

OS_* are the credentials of an administrator; OS_OTHER_USERNAME, OS_OTHER_PROJECT_NAME and
OS_OTHER_PASSWORD those of somebody else.
"""

import dataclasses
import os

import pytest
from keystoneauth1 import adapter, loading, session
from keystoneauth1.identity import v3
from oslo_config import cfg

from nova import exception
from nova.image import opts
from nova.image.connect import glance_from_config
from nova.image.source import CheckedImages
from tests.fixtures import images

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
    config = cfg.ConfigOpts()
    for group, options in opts.OPTS.items():
        config.register_opts(options, group=group)
    config([])
    config.register_opts(loading.get_auth_plugin_conf_options("password"), group="service_user")
    for name, value in {"auth_type": "password", **credentials("OS")}.items():
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
