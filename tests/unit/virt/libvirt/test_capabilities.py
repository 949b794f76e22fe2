"""libvirt's capabilities document."""

import json

from nova.virt.libvirt import capabilities

DOCUMENT = """<capabilities>
  <host>
    <uuid>3f1a2b4c-0000-4000-8000-123456789abc</uuid>
    <cpu>
      <arch>x86_64</arch><model>EPYC</model><vendor>AMD</vendor>
      <topology sockets='1' dies='1' cores='2' threads='4'/>
      <feature name='vme'/><feature name='ht'/>
    </cpu>
  </host>
  <guest><os_type>hvm</os_type>
    <arch name='i686'><domain type='qemu'/></arch>
  </guest>
  <guest><os_type>hvm</os_type>
    <arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch>
  </guest>
</capabilities>"""


def test_kinds_of_guests():
    found = capabilities.parse(DOCUMENT)
    assert found.guests == (
        ("i686", "qemu", "hvm"),
        ("x86_64", "qemu", "hvm"),
        ("x86_64", "kvm", "hvm"),
    )
    assert found.offers("kvm") and not found.offers("xen")


def test_processor_as_json():
    assert json.loads(capabilities.parse(DOCUMENT).cpu.as_json()) == {
        "arch": "x86_64",
        "model": "EPYC",
        "vendor": "AMD",
        "features": ["vme", "ht"],
        "topology": {"sockets": 1, "cores": 2, "threads": 4},
    }


def test_document_without_processor():
    found = capabilities.parse("<capabilities><host/></capabilities>")
    assert (found.cpu.architecture, found.guests) == ("", ())
