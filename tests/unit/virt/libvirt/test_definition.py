"""Definitions as libvirt 9.0 gave them back for guests of QEMU 7.2."""

from nova.virt.libvirt import definition
from nova.virt.libvirt.definition import FoundDisk

TEXT = """<domain type='qemu' id='1'><devices>
<disk type='file' device='disk'>
  <driver name='qemu' type='qcow2' cache='none'/>
  <source file='/i/uuid/disk' index='2'/>
  <backingStore type='file' index='3'>
    <format type='raw'/><source file='/i/_base/ba9d'/><backingStore/>
  </backingStore>
  <mirror type='file' file='/i/uuid/disk.copy' format='qcow2' job='copy'{ready}>
    <format type='qcow2'/><source file='/i/uuid/disk.copy' index='4'/><backingStore type='file'/>
  </mirror>
  <target dev='vda' bus='virtio'/>
</disk>
<disk type='file' device='cdrom'>
  <source file='/i/uuid/disk.config' index='1'/><backingStore/><target dev='hda' bus='ide'/>
</disk>
<disk type='block' device='disk'><source dev='/dev/sda'/><target dev='vdb'/></disk>
<interface type='bridge'>
  <mac address='FA:16:3e:00:00:01'/><source bridge='br100'/><target dev='tap0'/>
</interface>
<interface type='user'><mac address='fa:16:3e:00:00:02'/></interface>
</devices></domain>"""


def test_disk_is_found_by_its_file_with_what_it_is_laid_over_and_copied_to():
    assert definition.find_disk(TEXT.format(ready=""), "/i/uuid/disk") == FoundDisk(
        path="/i/uuid/disk",
        target="vda",
        backing_path="/i/_base/ba9d",
        backing_format="raw",
        copy_path="/i/uuid/disk.copy",
    )


def test_copy_is_complete_only_when_libvirt_says_so():
    for text, copied in (("", False), (" ready='abort'", False), (" ready='yes'", True)):
        assert definition.find_disk(TEXT.format(ready=text), "/i/uuid/disk").copied is copied


def test_disk_that_stands_alone_has_no_backing_file():
    found = definition.find_disk(TEXT.format(ready=""), "/i/uuid/disk.config")
    assert found == FoundDisk(path="/i/uuid/disk.config", target="hda")


def test_file_that_is_no_disk_is_not_found():
    assert definition.find_disk(TEXT.format(ready=""), "/i/_base/ba9d") is None


def test_interfaces_are_told_by_their_addresses():
    text = TEXT.format(ready="")
    devices = {"fa:16:3e:00:00:01": "tap0", "fa:16:3e:00:00:02": None}
    assert definition.interface_devices(text) == devices
    assert "br100" in definition.interface_xml(text, "fa:16:3e:00:00:01")
    assert "br100" in definition.interface_xml(text, "FA:16:3E:00:00:01")
    assert definition.interface_xml(text, "fa:16:3e:00:00:03") is None
