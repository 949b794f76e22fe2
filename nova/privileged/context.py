"""The oslo.privsep contexts: one per daemon that needs root, each with what it needs.

Functions that run with these rights live in modules of this package, carry the context's
entrypoint decorator, take typed arguments and check paths and names themselves.
Groups [nova_compute_privileged] and [nova_network_privileged] set how helpers are started.
"""

from oslo_privsep import capabilities, daemon, priv_context

from nova.exception import ConfigurationError

COMPUTE_SECTION = "nova_compute_privileged"
NETWORK_SECTION = "nova_network_privileged"

compute_pctxt = priv_context.PrivContext(
    "nova.privileged",
    cfg_section=COMPUTE_SECTION,
    pypath=f"{__name__}.compute_pctxt",
    capabilities=[
        capabilities.CAP_CHOWN,
        capabilities.CAP_DAC_OVERRIDE,
        capabilities.CAP_DAC_READ_SEARCH,
        capabilities.CAP_FOWNER,
        capabilities.CAP_NET_ADMIN,
        capabilities.CAP_NET_RAW,
    ],
)

network_pctxt = priv_context.PrivContext(
    "nova.privileged",
    cfg_section=NETWORK_SECTION,
    pypath=f"{__name__}.network_pctxt",
    capabilities=[
        capabilities.CAP_DAC_OVERRIDE,
        capabilities.CAP_KILL,
        capabilities.CAP_NET_ADMIN,
        capabilities.CAP_NET_BIND_SERVICE,
        capabilities.CAP_NET_RAW,
        capabilities.CAP_SETGID,
        capabilities.CAP_SETUID,
    ],
)


def run_in_process(enabled: bool) -> None:
    """Run privileged functions in this process, without helpers; for tests."""
    for context in (compute_pctxt, network_pctxt):
        context.set_client_mode(not enabled)


def start_helper(context: priv_context.PrivContext) -> None:
    """Start the helper now, so that a missing right is found before anything needs it.

    What sudo said is in the log.  Raises: ConfigurationError.
    """
    if not context.client_mode or context.channel is not None:
        return
    try:
        context.start()
    except (daemon.FailedToDropPrivileges, OSError) as error:
        raise ConfigurationError(
            reason=f"the helper that acts as root does not start ({error}); "
            f"is there a sudo rule for {context.conf.helper_command}?"
        ) from error
