"""Tells the metadata services that addresses changed hands."""

import logging

from nova.api.rpcapi import MetadataCacheAPI
from nova.context import RequestContext
from nova.exception import NovaException
from nova.objects.instance import Instance
from nova.rpc.bus import Bus

LOG = logging.getLogger(__name__)


def forget(bus: Bus, context: RequestContext, instance: Instance) -> None:
    """Have everything forgotten that is remembered under a server's addresses.

    Call it after the transaction that gave the addresses back.  A failure is only logged:
    what is remembered dies by its age as well.
    """
    addresses = tuple(
        address
        for vif in instance.vifs
        for address in (vif.fixed_ip, vif.fixed_ip_v6)
        if address is not None
    )
    if not addresses:
        return
    try:
        bus.client(MetadataCacheAPI).everyone().forget(context, addresses)
    except NovaException as error:
        LOG.warning("The metadata services were not told that %s is gone: %s", instance.uuid, error)
