"""Registrations of bundles, put together from the configuration."""

import pathlib

from oslo_config import cfg

from nova import config
from nova.api.core import bundles
from nova.image.memory import MemoryImageService
from nova.objects.image import Image
from nova.rpc.local import LocalBus
from tests.fixtures.time import FrozenClock, frozen_clock

__all__ = ["frozen_clock"]


def _conf(folder: pathlib.Path) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    conf.set_override("my_ip", "127.0.0.1")
    conf.set_override("image_decryption_dir", str(folder))
    return conf


def _image(state: str, status: str = "queued") -> Image:
    return Image(id=state, status=status, properties={"image_state": state})


def test_a_start_looks_for_what_was_left(frozen_clock: FrozenClock, tmp_path: pathlib.Path) -> None:
    images = MemoryImageService()
    for state in bundles.FAILED:
        images.add(_image(state), b"")
    images.add(_image("available", "active"), b"x")
    bus = LocalBus()
    made = bundles.from_config(_conf(tmp_path), bus, images)
    frozen_clock.advance(7201)
    task = made.sweeping()
    assert task.initial_delay_s == 0
    task.function()
    bus.close()
    found = {
        state: images.get(None, state).properties["image_state"]
        for state in (*bundles.FAILED, "available")
    }
    assert found == {**bundles.FAILED, "available": "available"}


def test_images_that_only_look_like_registrations_hide_none(
    frozen_clock: FrozenClock, tmp_path: pathlib.Path
) -> None:
    images, bus = MemoryImageService(), LocalBus()
    images.add(_image("pending"), b"")
    frozen_clock.advance(1)
    for number in range(1000):
        images.add(
            Image(id=f"{number}", status="active", properties={"image_state": "pending"}), b""
        )
    frozen_clock.advance(7201)
    bundles.from_config(_conf(tmp_path), bus, images).sweep()
    bus.close()
    assert images.get(None, "pending").properties["image_state"] == "failed_download"
    assert images.get(None, "7").properties["image_state"] == "pending"


def test_states_are_shown_as_ec2_has_them() -> None:
    shown = {
        state: bundles.state_shown(_image(state))
        for state in ("pending", "decrypting", "uploading", "failed_untar", "available", "own")
    }
    assert shown == {
        "pending": "pending",
        "decrypting": "pending",
        "uploading": "pending",
        "failed_untar": "failed",
        "available": "available",
        "own": "available",
    }
    assert bundles.state_shown(Image(id="plain")) == "available"
