"""Which traits a host needs for a server: names of os-traits, and of our own.  Pure."""

import re
from collections.abc import Iterator, Mapping

from nova.objects.flavor import Flavor
from nova.objects.flavor_wishes import Wishes, refuse

UEFI = "COMPUTE_FIRMWARE_UEFI"
SECURE_BOOT = "COMPUTE_SECURITY_UEFI_SECURE_BOOT"
TPM = {"1.2": "COMPUTE_SECURITY_TPM_1_2", "2.0": "COMPUTE_SECURITY_TPM_2_0"}
# What a driver refuses to go without; other traits are between operators and the scheduler.
OF_HARDWARE = frozenset({UEFI, SECURE_BOOT, *TPM.values()})
TPM_MODELS = ("tpm-tis", "tpm-crb")
SECURE_BOOT_WORDS = ("required", "disabled", "optional")

_TRAIT = re.compile(r"trait[a-zA-Z0-9_-]{0,64}:([A-Z0-9_]+)")


def tpm_wish(flavor: Flavor, image_properties: Mapping[str, str]) -> tuple[str, str] | None:
    """Return version and model of the TPM that is asked for, None for none.

    Source: virt-driver, sections 2 and 3.  Raises: Invalid.
    """
    wishes = Wishes(flavor, image_properties)
    wishes.choice("tpm_version", tuple(TPM))
    wishes.choice("tpm_model", TPM_MODELS)
    version, model = wishes.agreed("tpm_version"), wishes.agreed("tpm_model")
    if version is None:
        if model is not None:
            refuse("hw:tpm_model needs hw:tpm_version.")
        return None
    if version == "1.2" and model == "tpm-crb":
        refuse("A TPM of version 1.2 has no model tpm-crb.")
    return version, model or "tpm-tis"


def secure_boot_wish(flavor: Flavor, image_properties: Mapping[str, str]) -> str:
    """Return required, optional or disabled.  Raises: Invalid when both differ."""
    of_flavor = flavor.extra_specs.get("os:secure_boot")
    of_image = image_properties.get("os_secure_boot")
    for value in (of_flavor, of_image):
        if value is not None and value not in SECURE_BOOT_WORDS:
            refuse(f"os:secure_boot must be one of {', '.join(SECURE_BOOT_WORDS)}.")
    if {of_flavor, of_image} == {"required", "disabled"}:
        refuse("Flavor and image contradict each other about secure boot.")
    if "required" in (of_flavor, of_image):
        return "required"
    return of_flavor or of_image or "disabled"


def required_traits(flavor: Flavor, image_properties: Mapping[str, str]) -> frozenset[str]:
    """Return the traits that a host must have.  Raises: Invalid."""
    found = {name for name, word in _asked(flavor.extra_specs) if word == "required"}
    found |= {name for name, word in _asked(image_properties) if word == "required"}
    tpm = tpm_wish(flavor, image_properties)
    if tpm is not None:
        found.add(TPM[tpm[0]])
    if image_properties.get("hw_firmware_type") == "uefi":
        found.add(UEFI)
    if secure_boot_wish(flavor, image_properties) == "required":
        found |= {UEFI, SECURE_BOOT}
    return frozenset(found)


def forbidden_traits(flavor: Flavor) -> frozenset[str]:
    """Return the traits that a host must not have."""
    return frozenset(name for name, word in _asked(flavor.extra_specs) if word == "forbidden")


def _asked(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, word in values.items():
        match = _TRAIT.fullmatch(key)
        if match:
            yield match[1], word
