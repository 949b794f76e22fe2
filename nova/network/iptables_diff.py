"""What must be told to iptables-restore so that the kernel has nova-network's wanted rules."""

from nova import netfilter
from nova.netfilter import IPTABLES_CHAIN, RuleSet
from nova.network.iptables import PREFIX


def render_difference(wanted: RuleSet, saved: str, new_chain: str = IPTABLES_CHAIN) -> str:
    """Return the input for iptables-restore --noflush; empty when nothing differs.

    new_chain: what follows the name of a chain that is made or emptied.
    """
    return netfilter.render_difference(wanted, saved, PREFIX, new_chain)
