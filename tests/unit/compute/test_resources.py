from nova.compute.resources import Reserves, host_report, node_resources
from nova.virt.fake import FakeDriver, FakeSize


def make_driver():
    driver = FakeDriver(FakeSize(vcpus=4, memory_mb=8192, local_gb=50))
    driver.init_host("compute1", lambda event: None)
    return driver


def test_reserves_are_added_and_disk_is_rounded_up():
    reserves = Reserves(memory_mb=512, disk_mb=1025, vcpus=1)
    found = node_resources(make_driver().get_resources(), reserves, "192.0.2.1")
    assert (found.memory_mb, found.reserved_memory_mb) == (8192, 512)
    assert (found.local_gb, found.reserved_disk_gb) == (50, 2)
    assert (found.vcpus, found.reserved_vcpus) == (4, 1)
    assert found.host_ip == "192.0.2.1"


def test_ratio_of_zero_leaves_it_to_the_default():
    reserves = Reserves(cpu_allocation_ratio=0.0, ram_allocation_ratio=1.25)
    found = node_resources(make_driver().get_resources(), reserves, None)
    assert found.cpu_allocation_ratio is None
    assert found.ram_allocation_ratio == 1.25
    assert found.disk_allocation_ratio is None


def test_report_names_host_and_service():
    report = host_report("compute1", "compute", make_driver(), Reserves(), None)
    assert (report.host, report.binary, report.topic) == ("compute1", "nova-compute", "compute")
    assert report.node.hypervisor_hostname == "compute1"
    assert report.power_states is None
