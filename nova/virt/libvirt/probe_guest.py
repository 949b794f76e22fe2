"""The smallest guest that shows whether a virtual processor really works.

A boot sector: it builds page tables, enters 64-bit mode, counts and writes memory, and
switches the machine off by the power management port.  Entering real mode alone proves
little: there are hosts whose KVM runs the BIOS, slowly, and hangs at the first change of
mode.
Source: x86-64 architecture (long mode, page tables); QEMU's PIIX4 and ICH9 power control.
"""

_SECTOR = 512
_BOOT_MARK = b"\x55\xaa"
# A BIOS does not read disks that are smaller than one cylinder of its geometry.
_DISK_BYTES = 1024 * 1024

_INSTRUCTIONS = (
    "fa fc",  # cli; cld
    "31c0 8ed8 8ec0",  # ax = ds = es = 0
    "bf0010 b90018 f3ab",  # clear three pages from 0x1000 on
    "c70600100320",  # level 4 table, entry 0: the table at 0x2000
    "c70600200330",  # level 3 table, entry 0: the table at 0x3000
    "c70600308300",  # level 2 table, entry 0: 2 MiB from address 0 on
    "0f20e0 0c20 0f22e0",  # cr4: physical address extension
    "66b800100000 0f22d8",  # cr3: 0x1000
    "66b9800000c0 0f32 80cc01 0f30",  # extended features: long mode
    "0f0116887c",  # lgdt 0x7c88
    "0f20c0 660d01000080 0f22c0",  # cr0: protection, paging
    "ea567c0800",  # far jump to 0x7c56, now in 64-bit mode
    "b900000002 ffc9 75fc",  # count down from 2**25
    "bf00000100 b900000700 f3aa",  # write 448 KiB from 0x10000 on
    "66ba0406 66b80020 66ef",  # port 0x604: sleep enable, state S5
    "f4 ebfd",  # halt for ever
    "0000000000000000 00000000009a2000",  # segments: none; 64-bit code
    "0f00 787c0000",  # size and address of that table
)


def disk() -> bytes:
    """Return the contents of the guest's disk."""
    program = bytes.fromhex(" ".join(_INSTRUCTIONS))
    sector = program.ljust(_SECTOR - len(_BOOT_MARK), b"\0") + _BOOT_MARK
    return sector.ljust(_DISK_BYTES, b"\0")
