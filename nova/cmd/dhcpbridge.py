"""nova-dhcpbridge: run by dnsmasq for each change of a lease, as a short-lived process.

Only what one message needs is imported, and nothing at all for events that are ignored.
Exit codes: 0 done, 1 not done, 2 wrong configuration or arguments.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

USAGE = """Usage: nova-dhcpbridge [--config-file FILE]... ACTION [MAC ADDRESS [HOSTNAME]]

Tells nova-network of the host that a guest took (add) or gave back (del) its address, or
prints the leases of the network whose id is in NETWORK_ID (init).  Other actions of
dnsmasq are ignored.  Without --config-file the files are those of the JSON list in
CONFIG_FILE, else /etc/nova/nova-dhcpbridge.conf.
"""
DEFAULT_FILES = ["/etc/nova/nova-dhcpbridge.conf"]
NOT_DONE, WRONG = 1, 2


def main() -> int:
    """Run the program."""
    files, arguments = _split(sys.argv[1:])
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else WRONG
    if arguments[0] not in ("add", "del", "init"):
        return 0
    return _tell(files, arguments)


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate the leading --config-file options from the action."""
    files, rest = [], list(argv)
    while rest and rest[0].startswith("--config-file"):
        _, separator, value = rest.pop(0).partition("=")
        if not separator and rest:
            value = rest.pop(0)
        files.append(value)
    return files, rest


def _config_files(given: list[str]) -> list[str]:
    """Return the files to read.  Raises: ValueError."""
    if given or "CONFIG_FILE" not in os.environ:
        return given or DEFAULT_FILES
    files = json.loads(os.environ["CONFIG_FILE"])
    if not isinstance(files, list) or not all(isinstance(one, str) for one in files):
        raise ValueError("CONFIG_FILE is no JSON list of files")
    return files


def _tell(files: list[str], arguments: list[str]) -> int:
    import time

    from oslo_config import cfg

    from nova.config import check_files
    from nova.exception import ConfigurationError, InvalidInput, NovaException
    from nova.network import dhcpbridge
    from nova.network.rpcapi import NetworkAPI
    from nova.rpc.amqp import AmqpBus

    try:
        conf = _load(_config_files(files))
        bus = AmqpBus(conf)
        check_files(conf)
        _drop_privileges(conf.dhcpbridge_user or conf.dnsmasq_user)
    except (cfg.Error, ValueError, OSError, KeyError, ConfigurationError) as error:
        return _failed(error, WRONG)
    try:
        network = bus.client(NetworkAPI).on(conf.host)
        now_s, lease_time_s = int(time.time()), conf.dhcp_lease_time
        text = dhcpbridge.carry_out(arguments, os.environ, network, lease_time_s, now_s)
    except InvalidInput as error:
        return _failed(error, NOT_DONE if arguments[0] == dhcpbridge.INIT else WRONG)
    except NovaException as error:
        return _failed(error, NOT_DONE)
    sys.stdout.write(text)
    sys.stdout.flush()
    return 0


def _load(files: list[str]) -> Any:
    """Read the few options that are needed, and check that they can be used."""
    import socket

    from oslo_config import cfg

    from nova.network.opts import NETWORK_OPTS
    from nova.opts import SERVICE_OPTS
    from nova.privileged.opts import NETWORK_OPTS as PRIVILEGED_OPTS
    from nova.rpc.opts import RPC_OPTS

    cfg.CONF.register_opts([*SERVICE_OPTS, *NETWORK_OPTS, *PRIVILEGED_OPTS, *RPC_OPTS])
    cfg.CONF([], project="nova", prog="nova-dhcpbridge", default_config_files=files)
    cfg.CONF.set_default("host", socket.gethostname())
    return cfg.CONF


def _drop_privileges(user: str) -> None:
    """Give up root's rights, which dnsmasq has when it asks for leases at its start."""
    import pwd

    if os.geteuid():
        return
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def _failed(error: Exception, exit_code: int) -> int:
    print(f"nova-dhcpbridge: {error}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
