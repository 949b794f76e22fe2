"""What no host could build is refused before anything is stored."""

import pytest

from nova import exception
from nova.objects import guest_limits, guest_rules, traits
from tests.fixtures.guests import make_flavor


def check(specs=None, properties=None):
    guest_rules.check(make_flavor(vcpus=2, extra_specs=specs or {}), properties or {})


def test_everything_that_goes_together_passes():
    check(
        {
            "hw:cpu_policy": "dedicated",
            "hw:mem_page_size": "large",
            "hw:locked_memory": "yes",
            "hw:tpm_version": "2.0",
            "os:secure_boot": "required",
            "quota:cpu_quota": "-1",
            "quota:disk_read_bytes_sec": "1000",
            "quota:vif_inbound_average": "1000",
            "hw:serial_port_count": "3",
            "hw_video:ram_max_mb": "64",
        },
        {"hw_machine_type": "q35", "hw_serial_port_count": "2", "hw_video_ram": "64"},
    )


@pytest.mark.parametrize(
    ("specs", "properties", "reason"),
    [
        ({"hw:cpu_sockets": "2", "hw:cpu_cores": "2", "hw:cpu_threads": "1"}, {}, "VCPUs"),
        ({"hw:numa_nodes": "9"}, {}, "NUMA"),
        ({"hw:locked_memory": "yes"}, {}, "hw:mem_page_size"),
        ({"hw:tpm_model": "tpm-crb"}, {}, "hw:tpm_version"),
        ({"hw:tpm_version": "1.2", "hw:tpm_model": "tpm-crb"}, {}, "tpm-crb"),
        ({"hw:tpm_version": "1.2"}, {"hw_tpm_version": "2.0"}, "tpm_version"),
        ({"os:secure_boot": "perhaps"}, {}, "os:secure_boot"),
        ({"os:secure_boot": "required"}, {"os_secure_boot": "disabled"}, "secure boot"),
        ({"os:secure_boot": "required"}, {"hw_firmware_type": "bios"}, "UEFI"),
        ({"os:secure_boot": "required"}, {"hw_machine_type": "pc"}, "q35"),
        ({"quota:cpu_shares": "1"}, {}, "quota:cpu_shares"),
        ({"quota:cpu_period": "1"}, {}, "quota:cpu_period"),
        ({"quota:cpu_quota": "1"}, {}, "quota:cpu_quota"),
        ({"quota:cpu_shares": "many"}, {}, "quota:cpu_shares"),
        ({"quota:disk_read_iops_sec": "-5"}, {}, "quota:disk_read_iops_sec"),
        (
            {"quota:disk_total_iops_sec": "5", "quota:disk_read_iops_sec": "5"},
            {},
            "quota:disk_total_iops_sec",
        ),
        ({"quota:vif_inbound_peak": "5"}, {}, "quota:vif_inbound_average"),
        ({"hw_rng:allowed": "perhaps"}, {}, "hw_rng:allowed"),
        ({"hw_rng:rate_bytes": "fast"}, {}, "hw_rng:rate_bytes"),
        ({"hw:serial_port_count": "1"}, {"hw_serial_port_count": "2"}, "serial"),
        ({}, {"hw_serial_port_count": "5"}, "at most 4"),
        ({}, {"hw_video_ram": "1"}, "video memory"),
        ({"hw:watchdog_action": "explode"}, {}, "hw:watchdog_action"),
        ({}, {"hw_watchdog_action": "explode"}, "hw_watchdog_action"),
        ({"hw:input_bus": "ps2'/>"}, {}, "hw:input_bus"),
        ({"hw:hide_hypervisor_id": "perhaps"}, {}, "hide_hypervisor_id"),
        ({"hw:pmu": "yes"}, {"hw_pmu": "no"}, "pmu"),
    ],
)
def test_contradiction_is_refused_with_its_name(specs, properties, reason):
    with pytest.raises(exception.Invalid, match=reason):
        check(specs, properties)


def test_number_of_serial_ports_is_the_images_within_the_flavors():
    flavor = make_flavor(extra_specs={"hw:serial_port_count": "3"})
    assert guest_limits.serial_ports(make_flavor(), {}) == 1
    assert guest_limits.serial_ports(flavor, {}) == 3
    assert guest_limits.serial_ports(flavor, {"hw_serial_port_count": "2"}) == 2


def test_firmware_tpm_flavor_and_image_ask_for_traits():
    flavor = make_flavor(
        extra_specs={
            "hw:tpm_version": "2.0",
            "trait:CUSTOM_FAST": "required",
            "trait1:CUSTOM_NEAR": "required",
            "trait:CUSTOM_OLD": "forbidden",
        }
    )
    properties = {"hw_firmware_type": "uefi", "trait:CUSTOM_LICENSED": "required"}
    assert traits.required_traits(flavor, properties) == {
        "COMPUTE_SECURITY_TPM_2_0",
        "COMPUTE_FIRMWARE_UEFI",
        "CUSTOM_FAST",
        "CUSTOM_NEAR",
        "CUSTOM_LICENSED",
    }
    assert traits.forbidden_traits(flavor) == {"CUSTOM_OLD"}
