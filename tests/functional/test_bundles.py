"""Images registered from bundles: the whole way with nova-cert, Glance in memory, fake S3."""

import dataclasses
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from nova import exception
from nova.api.core.bundles import (
    Bundles,
    BundleServices,
    BundleSettings,
    BundleWish,
    state_shown,
)
from nova.cert.manager import CertManager
from nova.cert.rpcapi import CertAPI
from nova.conductor.rpcapi.certificates import ConductorCertificates
from nova.context import RequestContext
from nova.image.bundle.make import BundleKeys
from nova.image.bundle.source import Place
from nova.image.bundle.workplace import PREFIX
from nova.objects.image import Image, ImageChange
from tests.fixtures import archives
from tests.fixtures.bundles import DISK, Pair, bundle_files, by_hand
from tests.fixtures.cloud import Cloud, make_cloud
from tests.fixtures.rest import OTHER_PROJECT, PROJECT
from tests.fixtures.time import FrozenClock

ALICE = RequestContext(user_id="alice", project_id=PROJECT)
TOKEN = f"alice:{PROJECT}"
LOCATION = "bucket/images/{}"


class Buckets:
    """An object store that knows the owner of each bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.owner = PROJECT
        self.error: Exception | None = None

    def read(self, project_id: str, place: Place, max_bytes: int) -> Iterator[bytes]:
        """Give an object in pieces."""
        if self.error is not None and not str(place).endswith(".xml"):
            raise self.error
        if project_id != self.owner or str(place) not in self.objects:
            raise exception.BundleNotFound(image_location=str(place))
        content = self.objects[str(place)]
        assert len(content) <= max_bytes
        for at in range(0, len(content), 1000):
            yield content[at : at + 1000]


@dataclasses.dataclass
class Site:
    """A cloud with an object store, and alice with her certificate."""

    cloud: Cloud
    cert: CertManager
    buckets: Buckets
    bundles: Bundles
    folder: pathlib.Path
    work: pathlib.Path
    user: Pair
    root: bytes

    def upload(self, files: dict[str, bytes]) -> str:
        """Put a bundle into the bucket; return the location of its manifest."""
        for name, content in files.items():
            self.buckets.objects[LOCATION.format(name)] = content
        return LOCATION.format(next(name for name in files if name.endswith(".manifest.xml")))

    def bundle(self, content: bytes = DISK, **wish: Any) -> str:
        """Make and put a bundle of alice's."""
        keys = BundleKeys(
            private_key=self.user.pem,
            user_certificate=self.user.certificate,
            cloud_certificate=self.root,
        )
        return self.upload(bundle_files(self.folder, content, keys, **wish))

    def by_hand(self, archive: bytes, size: int = archives.SIZE, **changes: Any) -> str:
        """Put a bundle around any archive."""
        public = x509.load_pem_x509_certificate(self.root).public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        return self.upload(by_hand(archive, size, user=self.user, cloud=public, **changes))

    def begin(self, location: str, **wish: Any) -> Image:
        """Ask for a registration; nothing has run yet."""
        return self.bundles.register(ALICE, TOKEN, BundleWish(location=location, **wish))

    def register(self, location: str, **wish: Any) -> Image:
        """Register and let everything run."""
        image = self.begin(location, **wish)
        self.cloud.run_until_idle()
        return self.image(image.id)

    def image(self, image_id: str) -> Image:
        """Return an image as alice sees it."""
        return self.cloud.images.get(TOKEN, image_id)

    def state(self, image: Image) -> str:
        """Return the state of a registration."""
        return self.image(image.id).properties["image_state"]


@pytest.fixture
def site(frozen_clock: FrozenClock, tmp_path: pathlib.Path) -> Iterator[Site]:
    cloud = make_cloud(frozen_clock, hosts=1)
    cert = cloud.start_cert()
    made = cloud.rest.post("/os-certificates", {}).json["certificate"]
    key = serialization.load_pem_private_key(made["private_key"].encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    root = cloud.rest.get("/os-certificates/root").json["certificate"]["data"].encode()
    buckets, work = Buckets(), tmp_path / "work"
    work.mkdir()
    services = BundleServices(
        images=cloud.images,
        source=buckets,
        cert=cloud.bus.client(CertAPI).anyone(),
        records=cloud.bus.client(ConductorCertificates).anyone(),
        pool=cloud.bus,
    )
    bundles = Bundles(services, BundleSettings(folder=str(work), max_image_bytes=10**7))
    user = Pair(key, made["data"].encode())
    yield Site(cloud, cert, buckets, bundles, tmp_path, work, user, root)
    assert list(work.iterdir()) == [], "the temporary folder is removed in all cases"
    cloud.close()


def test_a_bundle_becomes_an_image(site: Site) -> None:
    location = site.bundle(mappings=(("ami", "sda1"),), kernel_id="aki-1", ramdisk_id="ari-1")
    image = site.begin(f"/{location}", name="mine", image_id_of=lambda name: f"uuid-of-{name}")
    assert (image.status, state_shown(image), image.name) == ("queued", "pending", "mine")
    site.cloud.run_until_idle()
    image = site.image(image.id)
    assert (image.status, image.disk_format, image.container_format) == ("active", "ami", "ami")
    assert (image.owner, image.visibility, state_shown(image)) == (PROJECT, "private", "available")
    assert image.properties == {
        "architecture": "x86_64",
        "image_location": location,
        "image_state": "available",
        "kernel_id": "uuid-of-aki-1",
        "ramdisk_id": "uuid-of-ari-1",
        "mappings": '[{"virtual": "ami", "device": "sda1"}]',
    }
    path = site.folder / "back"
    site.cloud.images.download(TOKEN, image, str(path))
    assert path.read_bytes() == DISK


@pytest.mark.parametrize("wish, kind", [("kernel_id", "aki"), ("ramdisk_id", "ari")])
def test_kernels_and_ramdisks_are_registered(site: Site, wish: str, kind: str) -> None:
    image = site.register(site.bundle(b"\x00kernel" * 100, **{wish: "true"}))
    assert (image.status, image.disk_format, image.container_format) == ("active", kind, kind)


def test_locations_that_are_none(site: Site) -> None:
    for location in ("", "bucket", "bucket/", "a b/x", "bucket/../x", "b/x\n", "/", "b//x"):
        with pytest.raises(exception.InvalidInput):
            site.begin(location)


def test_a_bucket_of_another_project_is_not_there(site: Site) -> None:
    location = site.bundle()
    site.buckets.owner = OTHER_PROJECT
    with pytest.raises(exception.BundleNotFound):
        site.begin(location)


def test_ec_06_only_a_certificate_of_the_project_that_is_not_revoked_signs(site: Site) -> None:
    location = site.bundle()
    stranger = RequestContext(user_id="bob", project_id=OTHER_PROJECT)
    site.buckets.owner = OTHER_PROJECT
    with pytest.raises(exception.BundleUnacceptable):
        site.bundles.register(stranger, f"bob:{OTHER_PROJECT}", BundleWish(location=location))
    site.buckets.owner = PROJECT
    site.cert.revoke_certs_by_user_and_project(ALICE, "alice", PROJECT)
    with pytest.raises(exception.BundleUnacceptable):
        site.begin(location)


def test_ec_06_a_manifest_changed_after_signing_makes_no_image(site: Site) -> None:
    location = site.bundle()
    content = site.buckets.objects[location]
    site.buckets.objects[location] = content.replace(b"x86_64", b"i386")
    with pytest.raises(exception.BundleUnacceptable):
        site.begin(location)


def test_ec_06_hostile_archives_end_in_failed_untar(site: Site) -> None:
    for name in ("parent", "symbolic link", "block device", "two files", "holes that overlap"):
        image = site.register(site.by_hand(archives.hostile()[name]))
        assert (image.status, site.state(image)) == ("queued", "failed_untar"), name
        assert state_shown(image) == "failed"


def test_ec_06_a_part_that_was_changed_ends_in_failed_download(site: Site) -> None:
    location = site.bundle()
    site.buckets.objects["bucket/images/disk.part.01"] = b"other"
    assert site.state(site.register(location)) == "failed_download"
    del site.buckets.objects["bucket/images/disk.part.01"]
    assert site.state(site.register(location)) == "failed_download"


def test_ec_07_keys_that_are_none_end_in_failed_decrypt(site: Site) -> None:
    good = archives.good()
    for changes in ({"key_text": b"00" * 15}, {"key_text": b"00" * 16}, {"padded": bytes(4096)}):
        image = site.register(site.by_hand(good, **changes))
        assert site.state(image) == "failed_decrypt"


def test_an_image_whose_content_is_another_format_is_refused(site: Site) -> None:
    disguised = b"QFI\xfb" + (3).to_bytes(4) + bytes(1000)
    image = site.register(site.bundle(disguised))
    assert (image.status, site.state(image)) == ("queued", "failed_untar")


def test_an_object_store_that_goes_away_ends_in_failed_download(site: Site) -> None:
    location = site.bundle()
    site.buckets.error = exception.BundleStoreUnavailable(reason="gone")
    assert site.state(site.register(location)) == "failed_download"


def test_an_image_deleted_meanwhile_is_left_alone(site: Site) -> None:
    image = site.begin(site.bundle())
    site.cloud.images.delete(TOKEN, image.id)
    site.cloud.run_until_idle()
    with pytest.raises(exception.ImageNotFound):
        site.image(image.id)


def test_what_died_with_its_process_fails_after_a_while(site: Site) -> None:
    image = site.begin(site.bundle())
    site.bundles.sweep()
    assert site.state(image) == "pending"
    site.cloud.clock.advance(7201)
    site.bundles.sweep()
    assert (site.state(image), site.image(image.id).status) == ("failed_download", "queued")
    # Should it live after all, it does not go on.
    site.cloud.run_until_idle()
    assert (site.state(image), site.image(image.id).status) == ("failed_download", "queued")


def test_the_folder_of_a_killed_process_is_removed(site: Site) -> None:
    left = site.work / f"{PREFIX}left"
    left.mkdir()
    os.utime(left, (0, 0))
    site.bundles.sweep()
    assert not left.exists()


def test_what_died_after_the_upload_is_available(site: Site) -> None:
    image = site.register(site.bundle())
    uploading = ImageChange(set_properties={"image_state": "uploading"})
    site.cloud.images.update(TOKEN, image.id, uploading)
    site.cloud.clock.advance(7201)
    site.bundles.sweep()
    assert site.state(image) == "available"


def test_the_temporary_folder_is_nobody_elses(site: Site) -> None:
    seen = []
    location = site.bundle()
    read = site.buckets.read

    def watched(project_id: str, place: Place, max_bytes: int) -> Iterator[bytes]:
        seen.extend(os.stat(path).st_mode & 0o777 for path in site.work.iterdir())
        return read(project_id, place, max_bytes)

    site.buckets.read = watched  # type: ignore[method-assign]
    site.register(location)
    assert set(seen) == {0o700}
