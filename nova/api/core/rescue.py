"""Rescue of servers: what is not HTTP about it."""

from nova.api.core import images, passwords
from nova.api.core.caller import Caller
from nova.objects.action_request import ActionRequest, RescueRequest


def begin(
    caller: Caller, instance_uuid: str, image_id: str | None = None, password: str | None = None
) -> str:
    """Boot a server from a rescue image, with its own disk attached; return the password there.

    image_id None: the one that is configured, else the server's own.
    Raises: as begin_action(), and image errors.
    """
    password = password or passwords.generate(caller.settings.password_length)
    image_id = image_id or caller.settings.rescue_image_id
    image = None
    if image_id is not None:
        image = images.choice(caller.token, image_id, caller.services.images)
    caller.conductor.instances.begin_action(
        caller.context,
        caller.scope,
        instance_uuid,
        "rescue",
        request=ActionRequest(rescue=RescueRequest(image=image)),
        admin_password=password,
    )
    return password
