"""A bundle from the tool to an image, with a real Keystone, Glance and object store."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest
from keystoneauth1 import loading
from oslo_config import cfg

from nova.api.core import bundles
from nova.api.core.bundles import Bundles, BundleWish
from nova.context import RequestContext
from nova.exception import BundleNotFound
from nova.image.connect import glance_from_config
from nova.objects.image import ImageQuery
from tests.fixtures.cloud import Cloud, make_cloud
from tests.fixtures.daemons import ROOT, wait_for
from tests.fixtures.s3_daemon import KeystoneUser, object_store
from tests.fixtures.s3_keys import Key
from tests.fixtures.time import FrozenClock

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not {"NOVA_TEST_KEYSTONE_URL", "OS_SERVICE_USERNAME"} <= os.environ.keys(),
        reason="no servers are named: eval $(tools/services up --dir DIR identity)",
    ),
]

DISK = os.urandom(12 * 1024**2) + bytes(20 * 1024**2) + b"end"
ENDED = ("available", "failed")


@pytest.fixture
def demo() -> KeystoneUser:
    return KeystoneUser("demo", "demo")


@pytest.fixture
def key(demo: KeystoneUser) -> Iterator[Key]:
    made = demo.make_key()
    yield made
    demo.drop_key(made)


@pytest.fixture
def url(tmp_path: pathlib.Path) -> Iterator[str]:
    with object_store(tmp_path) as endpoint:
        yield endpoint.url


@pytest.fixture
def cloud(tmp_path: pathlib.Path) -> Iterator[Cloud]:
    """Give a conductor and nova-cert in this process; its clock moves nobody else's."""
    made = make_cloud(FrozenClock(), hosts=0, threads=2)
    yield made
    made.close()


def _bundles(conf: cfg.ConfigOpts, cloud: Cloud, url: str, key: Key) -> Bundles:
    """Return what nova-api makes of its configuration, with the account nova."""
    conf.register_opts(loading.get_auth_plugin_conf_options("password"), group="service_user")
    account = {
        "auth_type": "password",
        "auth_url": os.environ["OS_AUTH_URL"],
        "username": os.environ["OS_SERVICE_USERNAME"],
        "password": os.environ["OS_SERVICE_PASSWORD"],
        "project_name": os.environ["OS_SERVICE_PROJECT_NAME"],
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
    for name, value in account.items():
        conf.set_override(name, value, "service_user")
    conf.set_override("valid_interfaces", ["public"], "glance")
    host, _, port = url.rpartition("/")[2].partition(":")
    own = {"s3_host": host, "s3_port": int(port), "s3_access_key": key.access}
    for name, value in {**own, "s3_secret_key": key.secret}.items():
        conf.set_override(name, value)
    return bundles.from_config(conf, cloud.bus, glance_from_config(conf))


def _bundle(folder: pathlib.Path, url: str, key: Key) -> str:
    """Run the tool; return the location of the manifest."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "bundle-image"), "disk.raw", "-d", "bundle"]
        + ["--upload", "images", "--url", url],
        cwd=folder,
        env={**os.environ, "AWS_ACCESS_KEY_ID": key.access, "AWS_SECRET_ACCESS_KEY": key.secret},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def test_a_bundle_in_a_bucket_becomes_an_image(
    conf: cfg.ConfigOpts,
    cloud: Cloud,
    url: str,
    demo: KeystoneUser,
    key: Key,
    tmp_path: pathlib.Path,
) -> None:
    cert = cloud.start_cert()
    user_id = demo.session.get_user_id()
    context = RequestContext(user_id=user_id, project_id=demo.project_id)
    private_key, certificate = cert.generate_x509_cert(context, user_id, demo.project_id)
    (tmp_path / "pk.pem").write_text(private_key)
    (tmp_path / "cert.pem").write_text(certificate)
    (tmp_path / "cacert.pem").write_text(cert.fetch_ca(context, demo.project_id))
    (tmp_path / "disk.raw").write_bytes(DISK)
    location = _bundle(tmp_path, url, key)
    service = KeystoneUser("nova", "service")
    own = service.make_key()
    try:
        made = _bundles(conf, cloud, url, own)
        wish = BundleWish(location=location, name="bundled")
        token = demo.session.get_token()
        stranger = RequestContext(user_id="x", project_id="0" * 32)
        with pytest.raises(BundleNotFound):
            made.register(stranger, token, wish)
        image = made.register(context, token, wish)
        images = glance_from_config(conf)
        try:
            assert image.owner == demo.project_id

            def state() -> str:
                return bundles.state_shown(images.get(token, image.id))

            wait_for(lambda: state() in ENDED, "the registration does not end", 120)
            found = images.get(token, image.id)
            assert (found.status, found.disk_format) == ("active", "ami"), found
            # As the sweep looks for those of all projects.
            statuses, properties = ("queued", "active"), {"image_state": "available"}
            query = ImageQuery(statuses=statuses, properties=properties)
            assert image.id in {one.id for one in images.page(None, query)}
            images.download(token, found, str(tmp_path / "back"))
            assert (tmp_path / "back").read_bytes() == DISK
        finally:
            images.delete(token, image.id)
    finally:
        service.drop_key(own)
