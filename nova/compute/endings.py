"""What operations report at their end about the guest."""

from nova import exception
from nova.compute.operations import Failure, Outcome, Running
from nova.objects.instance import Instance
from nova.objects.lifecycle import PowerState, VmState
from nova.virt.driver import ComputeDriver

INTERRUPTED = "The compute service was restarted before the operation had ended."


def outcome(driver: ComputeDriver, running: Running) -> Outcome:
    """Return a success, with the power state that the guest has now."""
    return Outcome(power_state=driver.get_power_state(running.instance))


def failure(driver: ComputeDriver, running: Running, message: str) -> Failure:
    """Return a failure after which the operation may be asked for again.

    The server keeps its state, unless its guest is gone: then it is in error.
    """
    power_state = power_state_if_known(driver, running.instance)
    return Failure(
        message=message,
        power_state=power_state,
        vm_state=VmState.ERROR if power_state is PowerState.NOSTATE else None,
    )


def power_state_if_known(driver: ComputeDriver, instance: Instance) -> PowerState | None:
    """Return the power state, None while the hypervisor is away."""
    try:
        return driver.get_power_state(instance)
    except exception.HypervisorUnavailable:
        return None
