"""Rescue: a server boots from another image for a while."""

import dataclasses

from nova.conductor.actions.base import ActionRules, Beginning, Ending, Prepared, Values
from nova.db.engine import Transaction
from nova.exception import Invalid
from nova.objects.action_request import ActionRequest, ImageChoice, RescueRequest


class RescueRules(ActionRules):
    """Chooses the image."""

    def prepare(self, tx: Transaction, beginning: Beginning) -> Prepared:
        """Take the server's own image when no other is asked for.  Raises: Invalid."""
        wanted = beginning.request.rescue or RescueRequest()
        instance = beginning.instance
        if wanted.image is None:
            if not instance.image_ref:
                raise Invalid(reason="A server without an image needs one to be rescued with.")
            own = ImageChoice(
                image_ref=instance.image_ref,
                properties=instance.image_properties,
                kernel_id=instance.kernel_id,
                ramdisk_id=instance.ramdisk_id,
            )
            wanted = dataclasses.replace(wanted, image=own)
        return Prepared(request=ActionRequest(rescue=wanted))

    def succeeded(self, tx: Transaction, ending: Ending) -> Values:
        """Note since when the server is in rescue; rescue_timeout counts from then."""
        return {"launched_at": ending.now}
