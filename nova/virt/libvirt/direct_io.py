"""Find out whether files may be read and written past the page cache."""

import errno
import os
import tempfile


def supports_direct_io(directory: str) -> bool:
    """Tell whether the file system of a directory opens files for direct access."""
    descriptor, path = tempfile.mkstemp(prefix=".direct-io-", dir=directory)
    os.close(descriptor)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_DIRECT | os.O_CLOEXEC))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return False
    finally:
        os.unlink(path)
    return True
