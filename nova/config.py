"""Reads the configuration: finds every opts.py of the project, checks values and files."""

import importlib
import importlib.metadata
import logging
import os
import pathlib
import socket
import stat
import sys
from collections.abc import Iterator, Sequence

from oslo_config import cfg

from nova import log
from nova.exception import ConfigurationError

CONF = cfg.CONF

BAD_CONFIGURATION = 2

_WHOLE_WORLD_READS = stat.S_IROTH
_WHOLE_WORLD_WRITES = stat.S_IWOTH


def option_modules() -> Iterator[str]:
    """Give the names of all modules of the project that declare options, in order."""
    root = pathlib.Path(__file__).parent
    for path in sorted(root.rglob("opts.py")):
        yield ".".join(("nova", *path.relative_to(root).with_suffix("").parts))


def declarations() -> Iterator[tuple[str, str, cfg.Opt]]:
    """Give (module, group, option) of all options that the project declares.

    Raises: ConfigurationError when an opts.py declares none.
    """
    for name in option_modules():
        options = getattr(importlib.import_module(name), "OPTS", None)
        if not isinstance(options, dict):
            raise ConfigurationError(reason=f"{name} has no OPTS")
        for group, members in options.items():
            for option in members:
                yield name, group, option


def declared_options() -> dict[str, list[cfg.Opt]]:
    """Return the project's own options by group; each name once in a group."""
    found: dict[str, dict[str, cfg.Opt]] = {}
    for _, group, option in declarations():
        found.setdefault(group, {}).setdefault(option.dest, option)
    return {group: list(members.values()) for group, members in found.items()}


def register(conf: cfg.ConfigOpts = CONF) -> None:
    """Declare the options of the project and of logging."""
    for group, options in declared_options().items():
        conf.register_opts(options, group=None if group == "DEFAULT" else group)
    log.register_options(conf)


def version() -> str:
    """Return the version of the installed package."""
    try:
        return importlib.metadata.version("nova")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def load(
    argv: Sequence[str], prog: str, *, database: bool = False, conf: cfg.ConfigOpts = CONF
) -> cfg.ConfigOpts:
    """Read command line, files and environment; check everything once.

    database tells whether this program may be given the database.
    Raises: ConfigurationError; SystemExit after --help, --version or a wrong argument.
    """
    register(conf)
    try:
        conf(list(argv), project="nova", prog=prog, version=version())
        _check_values(conf)
    except (cfg.Error, ValueError) as error:
        raise ConfigurationError(reason=" ".join(str(error).split())) from error
    if not database:
        _refuse_database(conf, prog)
    check_files(conf)
    _fill_host(conf)
    return conf


def check_files(conf: cfg.ConfigOpts = CONF) -> None:
    """Refuse files that everybody may write, or that hold secrets and everybody may read.

    Call it again when a library has declared further options.  Raises: ConfigurationError.
    """
    for name in conf.config_file or ():
        if _mode(name) & _WHOLE_WORLD_WRITES:
            raise ConfigurationError(reason=f"{name} can be written by everybody")
    for group, name, option in options_of(conf):
        place = conf.get_location(name, group)
        if not option.secret or place is None or place.location is not cfg.Locations.user:
            continue
        if os.path.exists(place.detail) and _mode(place.detail) & _WHOLE_WORLD_READS:
            raise ConfigurationError(
                reason=f"{place.detail} holds the secret {name} and can be read by everybody"
            )


def dump(conf: cfg.ConfigOpts, logger: logging.Logger) -> None:
    """Log all options at debug level, secret ones masked."""
    if not logger.isEnabledFor(logging.DEBUG):
        return
    for group, name, option in options_of(conf):
        value = getattr(conf if group is None else conf[group], name)
        shown = log.MASK if option.secret else log.redact(str(value))
        logger.debug("[%s] %s = %s", group or "DEFAULT", name, shown)


def options_of(conf: cfg.ConfigOpts) -> Iterator[tuple[str | None, str, cfg.Opt]]:
    """Give (group, name, option) of everything declared; the default group is None."""
    for name, info in list(conf._opts.items()):
        if not info["cli"] or name not in ("config_file", "config_dir", "config_source"):
            yield None, name, info["opt"]
    for group_name, group in list(conf._groups.items()):
        for name, info in list(group._opts.items()):
            yield group_name, name, info["opt"]


def _mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def _check_values(conf: cfg.ConfigOpts) -> None:
    """Read each value once, since oslo.config checks a value when it is read."""
    for group, name, _ in options_of(conf):
        section = conf if group is None else conf[group]
        getattr(section, name)


def _refuse_database(conf: cfg.ConfigOpts, prog: str) -> None:
    given = "database" in conf.list_all_sections()
    if not given and "database" in conf and "connection" in conf.database:
        place = conf.get_location("connection", "database")
        given = place is not None and place.location.is_user_controlled
    if given:
        raise ConfigurationError(
            reason=f"{prog} must not be given a database: remove the section [database]"
        )


def _fill_host(conf: cfg.ConfigOpts) -> None:
    if conf.host is None:
        conf.set_default("host", socket.gethostname())
    if conf.my_ip is None:
        conf.set_default("my_ip", _address_of_default_route())
    conf.set_default("bindir", os.path.join(sys.prefix, "bin"))
    if conf.service_down_time <= conf.report_interval:
        conf.set_override("service_down_time", int(conf.report_interval * 2.5))


def _address_of_default_route() -> str:
    """Return the address that packets to elsewhere would come from; none is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
