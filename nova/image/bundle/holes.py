"""Files with holes where there are only zeros."""

import os
from typing import BinaryIO

CHUNK_BYTES = 1024 * 1024


def write_sparse(file: BinaryIO, chunk: bytes) -> None:
    """Write at the present place, or leave a hole; truncate() must end the file."""
    if chunk.count(0) == len(chunk):
        file.seek(len(chunk), os.SEEK_CUR)
    else:
        file.write(chunk)


def new_file(path: str) -> BinaryIO:
    """Return a new file of one's own, open for writing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")
