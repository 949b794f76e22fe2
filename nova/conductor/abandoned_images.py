"""Images that operations had begun to fill when they were given up without their hosts."""

import logging

from nova.compute.rpcapi import ComputeAPI
from nova.context import RequestContext
from nova.exception import NovaException
from nova.objects.operation import Operation
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


def image_of(operation: Operation) -> str | None:
    """Return the image that an operation fills, None for one that fills none."""
    request = operation.request
    return None if request is None or request.snapshot is None else request.snapshot.image_id


def discard(bus: Bus, context: RequestContext, image_id: str) -> None:
    """Let the next compute host that listens delete an image: the conductor can not ask Glance.

    Call it after the transaction that gave the operation up.  A failure is only logged.
    """
    try:
        bus.client(ComputeAPI).anyone().discard_image(context, image_id)
    except NovaException as error:
        LOG.warning("Image %s stays, delete it by hand: %s", image_id, error)
