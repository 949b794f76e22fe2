"""nova-compute, put together."""

import dataclasses
import importlib
from collections.abc import Callable
from typing import NoReturn

from oslo_config import cfg

from nova import launcher
from nova.cmd.compose import program
from nova.compute.manager import ComputeManager
from nova.compute.settings import compute_hosts, compute_settings
from nova.concurrency import Pool
from nova.context import get_admin_context
from nova.exception import NovaException
from nova.image.api import ImageService
from nova.image.connect import glance_from_config
from nova.image.source import CheckedImages
from nova.periodic import PeriodicTask
from nova.privileged.context import compute_pctxt, start_helper
from nova.rpc.bus import Bus
from nova.service import Duties, Group, Service, ServiceSettings
from nova.virt.driver import ComputeDriver, ImageCacheKeeper
from nova.virt.fake import FakeDriver, FakeSize

PROG = "nova-compute"

DriverMaker = Callable[[cfg.ConfigOpts, ImageService], ComputeDriver]

CLEAR_HOST = cfg.BoolOpt(
    "clear-host",
    default=False,
    help="Do not serve: remove the packet filters and rules of this host, and end. Refused while "
    "guests are there.",
)

_POOL_SIZE = 32
_EACH_RUN_S = 60
_RETRY_S = 5


def run() -> NoReturn:
    """Run nova-compute."""
    cfg.CONF.register_cli_opt(CLEAR_HOST)
    conf = program.configure(PROG)
    if conf.clear_host:
        _clear(conf)

    def make() -> Group:
        if not _is_fake(conf):
            start_helper(compute_pctxt)
        bus = program.connect(conf)
        return Group(bus, [service(conf, bus, host) for host in compute_hosts(conf, conf.host)])

    program.run(make, conf=conf)


def _clear(conf: cfg.ConfigOpts) -> NoReturn:
    try:
        start_helper(compute_pctxt)
        make_driver(conf, glance_from_config(conf)).clear_firewall()
    except NovaException as error:
        program.leave_with(error)
    launcher.leave(launcher.OK)


def _is_fake(conf: cfg.ConfigOpts) -> bool:
    return bool(conf.compute_driver == "fake.FakeDriver")


def make_driver(conf: cfg.ConfigOpts, images: ImageService) -> ComputeDriver:
    """Return the driver that compute_driver names.  Raises: ConfigurationError."""
    if _is_fake(conf):
        size = FakeSize(
            vcpus=conf.fake.vcpus, memory_mb=conf.fake.memory_mb, local_gb=conf.fake.local_gb
        )
        return FakeDriver(size, {"spawn": conf.fake.spawn_delay})
    factory = importlib.import_module("nova.virt.libvirt.factory")
    driver: ComputeDriver = factory.create(conf, CheckedImages(images))
    return driver


def service(
    conf: cfg.ConfigOpts, bus: Bus, host: str, make_driver: DriverMaker = make_driver
) -> Service:
    """Return nova-compute for one host."""
    settings = compute_settings(conf)
    images = glance_from_config(conf)
    driver = make_driver(conf, images)
    manager = ComputeManager(bus, host, driver, Pool(_POOL_SIZE, "compute"), images, settings)
    tasks = [
        PeriodicTask(
            name="pull-operations",
            interval_s=settings.pull_interval_s,
            function=lambda: manager.pull_operations(get_admin_context()),
        ),
        PeriodicTask(
            name="reap-deleted",
            interval_s=settings.running_deleted_interval_s,
            function=manager.reap_deleted,
        ),
        PeriodicTask(
            name="heal-firewall",
            interval_s=_RETRY_S,
            function=manager.heal_firewall,
        ),
    ]
    if isinstance(driver, ImageCacheKeeper):
        interval_s = conf.image_cache.manager_interval or _EACH_RUN_S
        tasks.append(
            PeriodicTask(
                name="image-cache", interval_s=interval_s, function=driver.remove_unused_images
            )
        )
    identity = dataclasses.replace(ServiceSettings.from_config(conf, PROG), host=host)
    duties = Duties(manager=manager, report=manager.report, tasks=tuple(tasks))
    return Service(identity, bus, [manager], duties)
