"""The checksums of S3, by the check values of their definitions."""

import pytest

from nova.objectstore.checksums import ALGORITHMS

# Source: catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME).
CHECK_VALUES = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize("name", CHECK_VALUES)
def test_sum_of_bytes_that_come_in_pieces(name):
    digest = ALGORITHMS[name]()
    for piece in (b"1234", b"", b"56789"):
        digest.update(piece)
    assert digest.digest().hex() == CHECK_VALUES[name]
