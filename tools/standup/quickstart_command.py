"""From nothing to a working cloud with two servers, and back to nothing.

Without a command: up. Needs root on Debian 12 or newer, or Ubuntu 24.04 or newer.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from standup import (
    accounts,
    first_server,
    hosts,
    logs,
    settings,
    status,
    systemd,
    this_machine,
)
from standup.cloud import Cloud
from standup.errors import StandupError
from standup.manager import own_command
from standup.paths import default_cache, default_state
from standup.progress import Reporter, Step, run_steps
from standup.quickstart import QuickStart, make_state_directory
from standup.settings import Settings, Wishes

Act = Callable[[argparse.Namespace], int]


def main(arguments: list[str]) -> int:
    """Run the command."""
    options = _parser().parse_args(_with_command(arguments))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if os.geteuid() != 0:
            raise StandupError("root is needed: call it through sudo")
        return int(options.act(options))
    except StandupError as error:
        if error.shown:
            print(
                "\nquickstart: a step failed, see above; call it again when the cause is gone",
                file=sys.stderr,
            )
        else:
            where = f"\nquickstart: the log is {error.log}" if error.log else ""
            print(f"quickstart: {error.why}{where}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nquickstart: interrupted; call it again to go on, or with destroy to clean up",
            file=sys.stderr,
        )
        return 130


COMMANDS: dict[str, str] = {
    "up": "put the cloud up and boot two servers; safe to repeat",
    "status": "show processes, services and servers",
    "logs": "show the logs, or follow one",
    "ssh": "log into a server (default: the first), or run a command there",
    "stop": "stop everything, guests included; data is kept",
    "start": "start a stopped cloud again",
    "destroy": "remove everything that was made on this machine",
}


def _with_command(arguments: list[str]) -> list[str]:
    given = [word for word in arguments if word in COMMANDS or word in ("-h", "--help")]
    return arguments if given else ["up", *arguments]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/quickstart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    acts: dict[str, Act] = {
        "up": _up,
        "status": _status,
        "logs": _logs,
        "ssh": _ssh,
        "stop": _stop,
        "start": _start,
        "destroy": _destroy,
    }
    parts = {
        name: commands.add_parser(name, help=text, description=text)
        for name, text in COMMANDS.items()
    }
    for name, command in parts.items():
        command.set_defaults(act=acts[name])
        command.add_argument(
            "--state-dir", type=Path, default=default_state(), help="default: %(default)s"
        )
    up = parts["up"]
    up.add_argument(
        "--hosts", type=int, default=1, metavar="N", help="number of compute hosts (default 1)"
    )
    up.add_argument(
        "--on-this-host", action="store_true", help="the machine itself is the compute host"
    )
    up.add_argument("--database", choices=("sqlite", "mysql", "postgresql"), default="sqlite")
    up.add_argument("--cache-dir", type=Path, default=default_cache(), help="default: %(default)s")
    parts["logs"].add_argument(
        "daemon", nargs="?", metavar="DAEMON", help="such as nova-compute or compute1/nova-compute"
    )
    parts["logs"].add_argument("--lines", type=int, default=40, help="how many lines (default 40)")
    parts["logs"].add_argument("--follow", action="store_true", help="go on as the log grows")
    parts["ssh"].add_argument("server", nargs="?", default=first_server.NAME, metavar="SERVER")
    parts["ssh"].add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND ...")
    parts["destroy"].add_argument("--purge", action="store_true", help="remove the cache, too")
    parts["destroy"].add_argument(
        "--cache-dir", type=Path, default=default_cache(), help=argparse.SUPPRESS
    )
    return parser


def _up(options: argparse.Namespace) -> int:
    wishes = Wishes(options.hosts, options.on_this_host, options.database)
    if not 1 <= options.hosts <= 20:
        raise StandupError("--hosts is a number from 1 to 20")
    state = options.state_dir.resolve()
    make_state_directory(state)
    with _alone(state):
        chosen = settings.load(state)
        if chosen is None:
            chosen = settings.choose(state, options.cache_dir.resolve(), wishes)
            chosen.save()
        elif chosen.wishes != wishes and wishes != Wishes():
            raise StandupError(
                f"the cloud in {state} was made differently ({chosen.wishes}): destroy it first"
            )
        chosen.cache.mkdir(parents=True, exist_ok=True)
        accounts.require_access(chosen.cache)
        reporter = Reporter()
        run_steps(QuickStart(chosen).steps(), reporter)
        _start_at_boot(state)
        _say_what_next(Cloud(chosen), reporter.elapsed_s)
    return 0


def _start_at_boot(state: Path) -> None:
    if systemd.is_running():
        systemd.start_at_boot(own_command("quickstart", "start", "--state-dir", str(state)))


def _say_what_next(cloud: Cloud, elapsed_s: float) -> None:
    openrc, compute_url = cloud.settings.openrc, cloud.settings.compute_url
    server = first_server.find(cloud.session("demo"), compute_url, first_server.NAME)
    key, address = first_server.key_file(cloud), first_server.address_of(server)
    again = "starts" if systemd.is_running() else "does not start"
    print(
        f"\nYour cloud is up after {elapsed_s:.0f} seconds. Next:\n\n"
        f"  source {openrc}\n"
        "  openstack server list\n"
        "  openstack console log show first\n"
        f"  ssh -i {key} root@{address}\n"
        "  openstack console url show --novnc first     (also --spice, --serial)\n"
        "  openstack server create --flavor m1.nano --image tiny --key-name quickstart"
        " --network private --security-group access third\n"
        "  openstack floating ip create public\n"
        "  openstack server add floating ip second ADDRESS\n"
        f"  nova-manage network show-path {server['id']}\n"
        "  nova-manage service list\n\n"
        "The same with the AWS client:\n\n"
        "  aws ec2 describe-instances\n"
        "  aws ec2 run-instances --instance-type m1.nano --key-name quickstart"
        " --security-groups access --image-id"
        " $(aws ec2 describe-images --query 'Images[?Name==`tiny`].ImageId' --output text)\n"
        "  aws ec2 allocate-address\n"
        "  aws ec2 associate-address --instance-id ID --public-ip ADDRESS\n"
        "  aws s3 mb s3://backups && aws s3 cp /etc/hostname s3://backups/ && aws s3 ls backups\n\n"
        f"The screen of the first server, in a browser on this machine, for ten minutes:\n\n"
        f"  {first_server.console_url(cloud)}\n\n"
        f"That is the administrator in the project demo; {cloud.settings.user} has files for\n"
        f"others. The cloud {again} with the machine.\n\n"
        "  tools/quickstart status | logs | ssh | stop | start | destroy"
    )


def _status(options: argparse.Namespace) -> int:
    status.show(Cloud(_existing(options)))
    return 0


def _logs(options: argparse.Namespace) -> int:
    chosen = _existing(options)
    if not options.daemon:
        for name, file in logs.by_name(chosen).items():
            print(f"{name:32} {file}")
        return 0
    files = [str(file) for file in logs.matching(chosen, options.daemon)]
    follow = ["-F"] if options.follow else []
    command = ["tail", "-n", str(options.lines), *follow, *files]
    return subprocess.run(command, check=False).returncode


def _ssh(options: argparse.Namespace) -> int:
    cloud = Cloud(_existing(options))
    server = first_server.find(cloud.session("demo"), cloud.settings.compute_url, options.server)
    command = [*first_server.ssh_command(cloud, server), *options.command]
    os.execvp(command[0], command)


def _stop(options: argparse.Namespace) -> int:
    cloud = Cloud(_existing(options))
    with _alone(cloud.settings.state):
        systemd.forget_at_boot()
        cloud.manager.shut_down()
        if cloud.settings.wishes.on_this_host:
            print("the guests keep running: they belong to the machine's own libvirt")
    return 0


def _start(options: argparse.Namespace) -> int:
    chosen = _existing(options)
    with _alone(chosen.state):
        quick = QuickStart(chosen)
        wanted = {"rabbitmq", "database", "compute", "identity", "daemons", "services"}
        steps = [step for step in quick.steps() if step.name in wanted]
        run_steps([_only_after(step, wanted) for step in steps], Reporter())
        _start_at_boot(chosen.state)
    print("guests that were running are being started again: they answer when they have booted")
    return 0


def _only_after(step: Step, wanted: set[str]) -> Step:
    return replace(step, after=tuple(name for name in step.after if name in wanted))


def _destroy(options: argparse.Namespace) -> int:
    state = options.state_dir.resolve()
    chosen = settings.load(state)
    reporter = Reporter()
    if chosen is not None:
        with _alone(state):
            _remove(Cloud(chosen), reporter)
    elif state.exists():
        hosts.remove_directory(state)
    if options.purge:
        cache = chosen.cache if chosen else options.cache_dir.resolve()
        hosts.remove_directory(cache)
        reporter.say("ok", f"removed {cache}")
    reporter.say("ok", "nothing is left")
    return 0


def _remove(cloud: Cloud, reporter: Reporter) -> None:
    systemd.forget_at_boot()
    if cloud.settings.wishes.on_this_host:
        this_machine.clean(cloud)
        reporter.say("ok", "guests, bridge, rules and sudo rule of this machine")
    cloud.hosts.destroy()
    reporter.say("ok", "compute hosts, their guests, bridges and links")
    cloud.manager.shut_down()
    reporter.say("ok", "daemons and servers")
    for name in cloud.settings.accounts_made:
        accounts.remove(name)
    cloud.remove_files()
    reporter.say("ok", f"accounts and {cloud.settings.state}")


def _existing(options: argparse.Namespace) -> Settings:
    chosen = settings.load(options.state_dir.resolve())
    if chosen is None:
        raise StandupError(f"there is no cloud in {options.state_dir}: tools/quickstart makes one")
    return chosen


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Keep a second call on the same state directory out."""
    file = Path("/run/lock") / f"nova-quickstart{str(state).replace('/', '-')}"
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StandupError("another tools/quickstart is at work on this cloud") from None
        yield
        file.unlink(missing_ok=True)
