"""What all daemons do before and around their own work."""

import logging
import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from oslo_config import cfg

from nova import concurrency, config, launcher, log
from nova.exception import ConfigurationError, NovaException
from nova.launcher import Runnable
from nova.privileged import context
from nova.rpc.amqp import AmqpBus
from nova.workers import Workers

LOG = logging.getLogger("nova.cmd")

_PARENT_GRACE_S = 5.0


def configure(prog: str, *, database: bool = False) -> cfg.ConfigOpts:
    """Read configuration and set up logging, or end with one line and exit code 2."""
    try:
        conf = config.load(sys.argv[1:], prog, database=database)
        if conf.tempdir:
            tempfile.tempdir = conf.tempdir
        _check_temporary_folder()
        log.setup(conf)
    except (ConfigurationError, RuntimeError) as error:
        print(f"{prog}: {error}", file=sys.stderr)
        sys.exit(config.BAD_CONFIGURATION)
    _prepare_helpers(conf)
    kind = "eventlet" if concurrency.is_green() else "threads"
    LOG.info("%s %s on %s, as host %s", prog, config.version(), kind, conf.host)
    config.dump(conf, LOG)
    return conf


def connect(conf: cfg.ConfigOpts) -> AmqpBus:
    """Return the bus, with the pins of this service.  Raises: ConfigurationError."""
    bus = AmqpBus(conf, pins(conf))
    config.check_files(conf)
    return bus


def pins(conf: cfg.ConfigOpts) -> Mapping[str, str | None]:
    """Return the highest version to speak by topic."""
    return dict(conf.upgrade_levels.items())


def run(make: Callable[[], Runnable], *, conf: cfg.ConfigOpts, workers: int = 1) -> NoReturn:
    """Run a service, in several processes if workers is above 1; end with its exit code."""
    run_all([make] * workers, conf=conf)


def run_all(makes: Sequence[Callable[[], Runnable]], *, conf: cfg.ConfigOpts) -> NoReturn:
    """Run several services, each in a process of its own; end with their exit code."""
    if len(makes) == 1:
        launcher.leave(launcher.run(makes[0]))
    timeout_s = conf.graceful_shutdown_timeout + _PARENT_GRACE_S
    launcher.leave(Workers(makes, timeout_s).run())


def leave_with(error: NovaException) -> NoReturn:
    """End the program and say why."""
    launcher.leave(launcher.complain(error))


def _check_temporary_folder() -> None:
    try:
        with tempfile.TemporaryFile():
            pass
    except OSError as error:
        raise ConfigurationError(reason=f"no temporary file can be made: {error}") from error


def _prepare_helpers(conf: cfg.ConfigOpts) -> None:
    """Name privsep's helper by its whole path beside our programs, as sudo's rules do.

    Root needs no sudo for it.
    """
    command = [] if os.geteuid() == 0 else ["sudo"]
    command.append(os.path.join(conf.bindir, "privsep-helper"))
    for option in ("config_file", "config_dir"):
        for path in getattr(conf, option, None) or ():
            command += [f"--{option.replace('_', '-')}", path]
    for section in (context.COMPUTE_SECTION, context.NETWORK_SECTION):
        conf.set_default("helper_command", shlex.join(command), group=section)
