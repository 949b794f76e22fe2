"""Images registered from bundles in the object store.

The record of the image is made with the user's own token and shows by image_state how far its
filling is; it is filled in the background with the service's credentials.  When the process
dies meanwhile, another one finds the image after a while and says that it failed.
Source: objectstore-cert, section 2.3.
"""

import base64
import contextlib
import dataclasses
import datetime
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from oslo_config import cfg

from nova import clock, concurrency
from nova.api.core import snapshots
from nova.cert.rpcapi import CertAPI
from nova.conductor.rpcapi.certificates import ConductorCertificates
from nova.context import RequestContext
from nova.exception import BundleUnacceptable, ImageNotFound, InvalidInput, NovaException
from nova.image.api import ImageService
from nova.image.bundle import manifest as manifests
from nova.image.bundle import unpack, workplace
from nova.image.bundle.manifest import Manifest
from nova.image.bundle.source import BundleSource, Place, S3BundleSource, SourceSettings
from nova.image.inspector import verdict
from nova.objects.image import Image, ImageChange, ImageQuery, NewImage
from nova.periodic import PeriodicTask
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)

STATE = "image_state"
PENDING, AVAILABLE = "pending", "available"
DOWNLOADING, DECRYPTING = "downloading", "decrypting"
UNTARRING, UPLOADING = "untarring", "uploading"
FAILED = {
    PENDING: "failed_download",
    DOWNLOADING: "failed_download",
    DECRYPTING: "failed_decrypt",
    UNTARRING: "failed_untar",
    UPLOADING: "failed_upload",
}
# Why a registration ended in a state.
_REASONS = {
    "failed_download": "A part of the bundle is missing, or is not the one of the manifest.",
    "failed_decrypt": "The bundle was made for another cloud, or is not what its manifest says.",
    "failed_untar": "The bundle holds no raw image of the right size, or more than one file.",
    "failed_upload": "The image service refused the image.",
}
_GIB = 1024**3
_SWEEP_INTERVAL_S = 300
_MAX_NAME = 255
_NO_DATA, _FILLED = ("queued", "saving"), "active"


class Pool(Protocol):
    """Runs functions in the background."""

    def spawn(self, function: Callable[..., object], *args: object) -> None:
        """Run a function when there is room."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BundleSettings:
    """Limits of registrations, and where they work."""

    folder: str
    max_image_bytes: int = 64 * _GIB
    timeout_s: int = 7200


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BundleServices:
    """What registrations need of others."""

    images: ImageService
    source: BundleSource
    cert: CertAPI
    records: ConductorCertificates
    pool: Pool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BundleWish:
    """What the caller adds to the manifest.

    image_id_of: returns the image's id for an id of EC2, as kernels and ramdisks have.
    """

    location: str
    name: str | None = None
    properties: Mapping[str, str] = dataclasses.field(default_factory=dict)
    image_id_of: Callable[[str], str] = str


def state_shown(image: Image) -> str:
    """Return the state of an image as EC2 knows it: pending, available or failed."""
    state = image.properties.get(STATE, AVAILABLE)
    if state in FAILED:
        return PENDING
    return "failed" if state.startswith("failed_") else AVAILABLE


def failure_of(image: Image) -> str | None:
    """Return why the registration of an image has failed; None if it has not."""
    return _REASONS.get(image.properties.get(STATE, AVAILABLE))


class Bundles:
    """Registers images from bundles."""

    def __init__(self, services: BundleServices, settings: BundleSettings) -> None:
        self._services = services
        self._settings = settings

    def register(self, context: RequestContext, token: str | None, wish: BundleWish) -> Image:
        """Check the manifest, make the image's record, and begin to fill it.

        Raises: InvalidInput, BundleNotFound, BundleUnacceptable, BundleStoreUnavailable, and
        image errors.
        """
        if not context.project_id:
            raise InvalidInput(reason="Images are registered for projects.")
        place = Place.of(wish.location)
        manifest = self._manifest(context, context.project_id, place)
        images = self._services.images
        image = images.create(token, _new_image(wish, place, manifest))
        formats = ImageChange(disk_format=manifest.kind, container_format=manifest.kind)
        try:
            image = images.update(token, image.id, formats)
        except NovaException:
            snapshots.delete_image(images, token, image.id)
            raise
        LOG.info("Registering image %s from %s", image.id, place)
        filling = _Filling(self._services, self._settings, context, image.id, place, manifest)
        self._services.pool.spawn(filling.run)
        return image

    def _manifest(self, context: RequestContext, project_id: str, place: Place) -> Manifest:
        """Return a manifest that somebody of the project has signed.

        Raises: BundleNotFound, BundleUnacceptable, BundleStoreUnavailable.
        """
        limit = manifests.MAX_MANIFEST_BYTES
        content = b"".join(self._services.source.read(project_id, place, limit))
        manifest = manifests.parse(content, self._settings.max_image_bytes)
        records = self._services.records.list_valid(context, project_id=project_id)
        certificates = [record.certificate for record in records]
        if not manifests.is_signed_by_one_of(manifest, certificates, clock.utcnow()):
            reason = "no valid certificate of the project is that of its signature."
            raise BundleUnacceptable(reason=reason)
        return manifest

    def sweep(self) -> None:
        """End what died with its process: nothing was told of it for too long.

        Raises: image errors, OSError.
        """
        workplace.remove_abandoned(self._settings.folder)
        limit = clock.utcnow() - datetime.timedelta(seconds=self._settings.timeout_s)
        for state in FAILED:
            # Others may be anybody's, who gave them a property that means nothing there.
            statuses = (*_NO_DATA, _FILLED) if state == UPLOADING else _NO_DATA
            query = ImageQuery(statuses=statuses, properties={STATE: state})
            for image in self._services.images.page(None, query):
                changed_at = image.updated_at or image.created_at
                if changed_at is not None and changed_at < limit:
                    self._end(image, state)

    def _end(self, image: Image, state: str) -> None:
        final = AVAILABLE if image.status == _FILLED else FAILED[state]
        LOG.warning("The registration of image %s ended while %s: now %s", image.id, state, final)
        with contextlib.suppress(ImageNotFound):
            _set_state(self._services.images, image.id, final)

    def sweeping(self) -> PeriodicTask:
        """Return the task that looks for what died with its process, at the start too.

        Several processes may do it at once: each says the same of the same image.
        """
        return PeriodicTask(
            name="bundles", interval_s=_SWEEP_INTERVAL_S, function=self.sweep, initial_delay_s=0
        )


class _GivenUp(Exception):
    """The image is no longer what this registration made of it."""


@dataclasses.dataclass(slots=True)
class _Filling:
    """One image on its way from its bundle."""

    services: BundleServices
    settings: BundleSettings
    context: RequestContext
    image_id: str
    place: Place
    manifest: Manifest = dataclasses.field(repr=False)
    state: str = PENDING

    def run(self) -> None:
        """Take all steps; the image's state tells how it ended."""
        try:
            with workplace.private_folder(self.settings.folder) as folder:
                self._fill(folder)
        except (_GivenUp, ImageNotFound):
            LOG.info("Image %s is gone or was given up; its bundle is left alone", self.image_id)
        except (NovaException, OSError) as error:
            LOG.warning("Image %s failed while %s: %s", self.image_id, self.state, error)
            self._fail()
        except Exception:
            self._fail()
            raise

    def _fill(self, folder: str) -> None:
        encrypted, archive, image = (
            os.path.join(folder, name) for name in ("encrypted", "archive", "image")
        )
        self._enter(DOWNLOADING)
        unpack.join(self._read, self.manifest, encrypted)
        self._enter(DECRYPTING)
        key, iv = (
            self._secret(text) for text in (self.manifest.secret_key, self.manifest.secret_iv)
        )
        concurrency.run_native(unpack.decrypt, encrypted, archive, key, iv, self.manifest)
        os.unlink(encrypted)
        self._enter(UNTARRING)
        concurrency.run_native(unpack.extract, archive, image, self.manifest)
        os.unlink(archive)
        self._check(image)
        self._enter(UPLOADING)
        self.services.images.upload(None, self.image_id, image)
        _set_state(self.services.images, self.image_id, AVAILABLE)
        LOG.info("Image %s is available", self.image_id)

    def _enter(self, state: str) -> None:
        """Tell that a step begins.  Raises: _GivenUp, image errors."""
        image = self.services.images.get(None, self.image_id)
        if image.properties.get(STATE) != self.state:
            raise _GivenUp
        _set_state(self.services.images, self.image_id, state)
        self.state = state

    def _read(self, name: str, max_bytes: int) -> Iterator[bytes]:
        project_id = self.context.project_id or ""
        return self.services.source.read(project_id, self.place.beside(name), max_bytes)

    def _secret(self, content: bytes) -> bytes:
        text = base64.b64encode(content).decode("ascii")
        project_id = self.context.project_id or ""
        return unpack.secret(self.services.cert.decrypt_text(self.context, project_id, text))

    def _check(self, path: str) -> None:
        """Hold the image against the format that it is declared to have.

        Raises: ImageUnacceptable.
        """
        with open(path, "rb") as file:
            facts = verdict.inspect(file, self.image_id)
        verdict.check(facts, self.manifest.kind, self.image_id)

    def _fail(self) -> None:
        try:
            _set_state(self.services.images, self.image_id, FAILED[self.state])
        except ImageNotFound:
            LOG.info("Image %s was deleted meanwhile", self.image_id)
        except NovaException as error:
            # The sweep will tell it.
            LOG.warning("The state of image %s can not be told: %s", self.image_id, error)


def _set_state(images: ImageService, image_id: str, state: str) -> None:
    images.update(None, image_id, ImageChange(set_properties={STATE: state}))


def _new_image(wish: BundleWish, place: Place, manifest: Manifest) -> NewImage:
    properties = {
        **wish.properties,
        "architecture": manifest.architecture,
        "image_location": str(place),
        STATE: PENDING,
    }
    for name, value in (("kernel_id", manifest.kernel_id), ("ramdisk_id", manifest.ramdisk_id)):
        if value is not None:
            properties[name] = wish.image_id_of(value)
    if manifest.mappings:
        pairs = [{"virtual": virtual, "device": device} for virtual, device in manifest.mappings]
        properties["mappings"] = json.dumps(pairs)
    return NewImage(name=(wish.name or str(place))[:_MAX_NAME], properties=properties)


def from_config(conf: cfg.ConfigOpts, bus: Bus, images: ImageService) -> Bundles:
    """Return what registers images from the object store that the configuration names."""
    source = SourceSettings(
        host=conf.s3_host,
        port=conf.s3_port,
        use_ssl=conf.s3_use_ssl,
        ca_file=conf.s3_ca_file,
        access_key=conf.s3_access_key,
        secret_key=conf.s3_secret_key,
        affix_tenant=conf.s3_affix_tenant,
    )
    services = BundleServices(
        images=images,
        source=S3BundleSource(source),
        cert=bus.client(CertAPI).anyone(),
        records=bus.client(ConductorCertificates).anyone(),
        pool=concurrency.Pool(conf.bundle_workers, "bundles"),
    )
    settings = BundleSettings(
        folder=conf.image_decryption_dir,
        max_image_bytes=conf.bundle_max_image_gb * _GIB,
        timeout_s=conf.bundle_timeout,
    )
    return Bundles(services, settings)
