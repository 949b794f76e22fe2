"""Actions on instances that are there: end, reboot, start, stop and rescue them, and the like."""

import base64

from nova import clock, exception
from nova.api.core import actions, rescue, snapshots
from nova.api.core.consoles import open_console
from nova.api.ec2.action import Ec2Call, Family, Result
from nova.api.ec2.instance_lookup import id_of, live, named, resolve
from nova.api.ec2.instance_views import state
from nova.api.ec2.params import BOOLEAN, TEXT, Param, invalid
from nova.api.ec2.states import PENDING, RUNNING, STOPPED, STOPPING, TERMINATED, InstanceState
from nova.objects.console import ConsoleType
from nova.objects.instance import Instance, InstanceChange
from nova.objects.unset import UNSET, UnsetType

instance_actions = Family()

IDS = Param("InstanceId", type=TEXT, many=True, required=True)
ID = Param("InstanceId", type=TEXT, required=True)
_LONGEST = 255
_LAST_CHARACTER = "\uffff"


def _change(
    call: Ec2Call, action: str, *goals: InstanceState
) -> tuple[Result, tuple[Instance, ...]]:
    """Begin an action on instances that are not at its goal; return the states around it.

    Nothing begins unless all ids are those of instances, and these allow it.  The instances
    on which it has begun are returned too.
    """
    found = resolve(call, call.params["InstanceId"])
    wanted = tuple(one.uuid for one in found if state(one) not in goals)
    begun: tuple[Instance, ...] = ()
    if wanted:
        with named(*found):
            begun = call.ec2.begin_actions(call.context, call.scope, wanted, action)
    after = {one.uuid: one for one in (*found, *begun)}
    changes = [
        {
            "instanceId": id_of(one),
            "currentState": state(after[one.uuid]).document,
            "previousState": state(one).document,
        }
        for one in found
    ]
    return {"instancesSet": changes}, begun


@instance_actions.action("TerminateInstances", IDS, policy="servers:delete", changes=True)
def terminate_instances(call: Ec2Call) -> Result:
    """Delete instances, whatever they are doing; one that has ended stays so."""
    changes, begun = _change(call, actions.DELETE, TERMINATED)
    for server in begun:
        snapshots.forget_shelved(call.services.images, call.token, server)
    return changes


@instance_actions.action("StartInstances", IDS, policy="servers:start", changes=True)
def start_instances(call: Ec2Call) -> Result:
    """Power instances on; one that runs or is on its way goes on."""
    changes, _ = _change(call, "start", RUNNING, PENDING)
    return changes


@instance_actions.action(
    "StopInstances",
    IDS,
    Param("Force", type=BOOLEAN, default=False),
    Param("Hibernate", type=BOOLEAN, default=False),
    policy="servers:stop",
    changes=True,
)
def stop_instances(call: Ec2Call) -> Result:
    """Shut instances down; one that is down stays so."""
    if call.params["Hibernate"]:
        raise exception.Ec2NotSupported(what="hibernation")
    changes, _ = _change(call, "stop", STOPPED, STOPPING)
    return changes


@instance_actions.action("RebootInstances", IDS, policy="servers:reboot", changes=True)
def reboot_instances(call: Ec2Call) -> Result:
    """Reboot instances, always hard."""
    _change(call, actions.reboot_action("HARD"))
    return None


@instance_actions.action("RescueInstance", ID, policy="os-rescue", changes=True)
def rescue_instance(call: Ec2Call) -> Result:
    """Boot an instance from the cloud's rescue image, or its own, with its disk attached."""
    instance = live(call, call.params["InstanceId"])
    with named(instance):
        rescue.begin(call, instance.uuid)
    return None


@instance_actions.action("UnrescueInstance", ID, policy="os-unrescue", changes=True)
def unrescue_instance(call: Ec2Call) -> Result:
    """Boot a rescued instance from its own disk again."""
    instance = live(call, call.params["InstanceId"])
    with named(instance):
        actions.begin(call.context, call.conductor.instances, call.scope, instance.uuid, "unrescue")
    return None


@instance_actions.action(
    "UpdateInstance",
    ID,
    Param("DisplayName", type=TEXT),
    Param("DisplayDescription", type=TEXT),
    policy="servers:update",
    changes=True,
)
def update_instance(call: Ec2Call) -> Result:
    """Give an instance another name, or another description."""
    change = InstanceChange(
        display_name=_printable(call, "DisplayName", least=1),
        display_description=_printable(call, "DisplayDescription"),
    )
    instance = live(call, call.params["InstanceId"])
    with named(instance):
        call.conductor.instances.update(call.context, call.scope, instance.uuid, change)
    return None


def _printable(call: Ec2Call, name: str, least: int = 0) -> str | UnsetType:
    """Return a text that is shown to users, UNSET for none.  Raises: Ec2ParameterInvalid."""
    text: str | None = call.params[name]
    if text is None:
        return UNSET
    if not least <= len(text) <= _LONGEST or text != text.strip():
        raise invalid(name, f"it has up to {_LONGEST} characters, without blanks around them")
    if not text.isprintable() or max(text, default="") > _LAST_CHARACTER:
        raise invalid(name, "it has a character that can not be shown")
    return text


@instance_actions.action("MonitorInstances", IDS, policy="servers:show")
def monitor_instances(call: Ec2Call) -> Result:
    """Refuse to monitor instances: a client that was told otherwise would wait for numbers."""
    resolve(call, call.params["InstanceId"])
    raise exception.Ec2NotSupported(what="detailed monitoring")


@instance_actions.action("UnmonitorInstances", IDS, policy="servers:show")
def unmonitor_instances(call: Ec2Call) -> Result:
    """Tell that nothing is monitored."""
    return {
        "instancesSet": [
            {"instanceId": id_of(one), "monitoring": {"state": "disabled"}}
            for one in resolve(call, call.params["InstanceId"])
        ]
    }


@instance_actions.action(
    "GetConsoleOutput", ID, Param("Latest", type=BOOLEAN), policy="os-console-output"
)
def get_console_output(call: Ec2Call) -> Result:
    """Return the newest lines of an instance's console, in base64."""
    instance = live(call, call.params["InstanceId"])
    with named(instance):
        text = _console(call, instance)
    return {
        "instanceId": id_of(instance),
        "timestamp": clock.utcnow(),
        "output": base64.b64encode(text.encode()).decode(),
    }


def _console(call: Ec2Call, instance: Instance) -> str:
    """Return what an instance has written; nothing as long as it has no console.

    Clients ask for it in a loop while an instance boots.
    """
    try:
        return actions.console_output(call.context, call.services.compute, instance, None)
    except (exception.InstanceNotReady, exception.ConsoleNotAvailable):
        return ""


@instance_actions.action("GetPasswordData", ID, policy="os-server-password:show")
def get_password_data(call: Ec2Call) -> Result:
    """Return what the guest has posted: its password, encrypted for the owner of the key."""
    instance = live(call, call.params["InstanceId"])
    with named(instance):
        password = call.conductor.instances.get_password(call.context, call.scope, instance.uuid)
    return {
        "instanceId": id_of(instance),
        "timestamp": clock.utcnow(),
        "passwordData": password,
    }


@instance_actions.action("GetVncConsole", ID, policy="os-remote-consoles")
def get_vnc_console(call: Ec2Call) -> Result:
    """Return a fresh address of an instance's VNC console, for a browser."""
    instance = live(call, call.params["InstanceId"])
    services = call.services
    with named(instance):
        url = open_console(
            call.context, services.compute, services.consoleauth, instance, ConsoleType.NOVNC
        )
    return {"instanceId": id_of(instance), "url": url}
