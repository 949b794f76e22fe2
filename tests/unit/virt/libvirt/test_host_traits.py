"""What a host says that it can do, and which processors servers may use."""

import pytest

from nova import exception
from nova.objects.numa import HostCell, HostNuma
from nova.virt.libvirt.capabilities import parse
from nova.virt.libvirt.host_traits import host_processors, traits_of

CAPABILITIES = """<domainCapabilities>
 <os supported='yes'>
  <enum name='firmware'>{firmware}</enum>
  <loader supported='yes'><enum name='secure'><value>no</value>{secure}</enum></loader>
 </os>
 <devices>{tpm}</devices>
</domainCapabilities>"""
TPM = """<tpm supported='yes'>
 <enum name='backendModel'><value>passthrough</value><value>emulator</value></enum>
 <enum name='backendVersion'><value>2.0</value></enum>
</tpm>"""
HOST = """<capabilities><host><cpu><arch>x86_64</arch></cpu><topology><cells num='1'>
 <cell id='0'>
  <memory unit='KiB'>4194304</memory>
  <pages unit='KiB' size='4'>1048576</pages>
  <pages unit='KiB' size='2048'>0</pages>
  <cpus num='4'>
   <cpu id='0' socket_id='0' core_id='0' siblings='0,2'/>
   <cpu id='1' socket_id='0' core_id='1' siblings='1,3'/>
   <cpu id='2' socket_id='0' core_id='0' siblings='0,2'/>
   <cpu id='3' socket_id='0' core_id='1' siblings='1,3'/>
  </cpus>
 </cell></cells></topology></host></capabilities>"""
CELLS = HostNuma(cells=(HostCell(id=0, cpus=(0, 1, 2, 3), memory_mb=4096),))


def traits(firmware="", secure="", tpm=""):
    return set(traits_of(CAPABILITIES.format(firmware=firmware, secure=secure, tpm=tpm)))


def test_host_with_nothing_special_says_nothing():
    assert traits() == set()


def test_firmware_and_tpm_become_traits():
    uefi = "<value>efi</value>"
    assert traits(firmware=uefi) == {"COMPUTE_FIRMWARE_UEFI"}
    assert "COMPUTE_SECURITY_UEFI_SECURE_BOOT" in traits(uefi, "<value>yes</value>")
    assert traits(tpm=TPM) == {"COMPUTE_SECURITY_TPM_2_0"}
    assert traits(tpm=TPM.replace("emulator", "external")) == set()


def test_cells_of_the_host_with_threads_and_pages():
    (cell,) = parse(HOST).cells.cells
    assert (cell.cpus, cell.memory_mb) == ((0, 1, 2, 3), 4096)
    assert cell.siblings == ((0, 2), (1, 3))
    assert cell.pages_total == {4: 1048576}


@pytest.mark.parametrize(
    ("dedicated", "shared", "expected"),
    [
        (None, None, ((0, 1, 2, 3), (), False)),
        ("2-3", None, ((0, 1), (2, 3), True)),
        ("2-3", "0", ((0,), (2, 3), True)),
        (None, "0-3,^2", ((0, 1, 3), (), True)),
    ],
)
def test_processors_are_divided_as_the_options_say(dedicated, shared, expected):
    found = host_processors(CELLS, dedicated, shared)
    (cell,) = found.cells.cells
    assert (cell.cpus, cell.dedicated, found.limited) == expected


@pytest.mark.parametrize(
    ("dedicated", "shared", "reason"),
    [("0-1", "1-2", "in common"), ("0-9", None, "has not"), (None, "some", "cpu_shared_set")],
)
def test_senseless_sets_end_the_start_with_a_reason(dedicated, shared, reason):
    with pytest.raises(exception.ConfigurationError, match=reason):
        host_processors(CELLS, dedicated, shared)
