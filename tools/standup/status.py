"""What runs, as a table."""

from standup import rest
from standup.cloud import Cloud
from standup.errors import StandupError
from standup.program import ProgramState


def show(cloud: Cloud) -> None:
    """Print processes, services and servers."""
    print("PROCESSES")
    _programs("controller", cloud.manager.states())
    for index in cloud.layout.indices():
        programs = cloud.host_programs(index)
        _programs(cloud.layout.spec(index).name, programs.states() if programs.answers() else [])
    try:
        _services(cloud)
        _servers(cloud.session("demo"), cloud.settings.compute_url)
    except StandupError as error:
        print(f"\nthe API does not answer: {error.why}")


def _programs(host: str, states: list[ProgramState]) -> None:
    if not states:
        print(f"  {host:12} down")
    for state in states:
        more = f"up {_age(state.uptime_s)}" if state.pid else f"last end: {state.last_exit}"
        restarts = f", {state.restarts} restarts" if state.restarts else ""
        print(f"  {host:12} {state.name:20} {state.state:8} {more}{restarts}")


def _services(cloud: Cloud) -> None:
    print("\nSERVICES")
    for entry in cloud.session("admin").get(f"{cloud.settings.compute_url}/os-services")[
        "services"
    ]:
        print(f"  {entry['host']:12} {entry['binary']:20} {entry['status']:8} {entry['state']}")


def _servers(session: rest.Session, compute_url: str) -> None:
    print("\nSERVERS OF DEMO")
    for server in session.get(f"{compute_url}/servers/detail")["servers"]:
        addresses = [entry["addr"] for network in server["addresses"].values() for entry in network]
        print(f"  {server['name']:20} {server['status']:8} {', '.join(addresses)}")


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
