"""Writing anew on the host what the networks of a server need."""

from nova.compute.networks import Networks
from nova.compute.operations import Failure, Outcome, Plan, Running
from nova.virt.driver import ComputeDriver


class NetworkInfoActions:
    """The plan of inject_network_info on one host, and of what changes addresses."""

    def __init__(self, driver: ComputeDriver, networks: Networks) -> None:
        self._driver = driver
        self._networks = networks

    def plan(self, event: str = "compute_inject_network_info") -> Plan:
        """Return how networks and filters of a server are written anew."""
        return Plan(
            event=event,
            task_state=None,
            work=self._inject,
            explain=lambda running, error: Failure(
                message="The network set-up of the server could not be renewed."
            ),
        )

    def _inject(self, running: Running) -> Outcome:
        self._networks.setup(running.context, running.instance)
        self._driver.refresh_network(running.instance)
        return Outcome()
