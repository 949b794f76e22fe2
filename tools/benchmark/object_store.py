"""The store of nova-objectstore against the disk's own speed: tools/bench objectstore.

Runs with an interpreter that has nova; without HTTP and signatures.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PIECE = os.urandom(1024 * 1024)


class _Body:
    """The body of a request with this many MiB."""

    checksum = None

    def __init__(self, mib: int) -> None:
        self._mib = mib
        self.length = mib * len(PIECE)

    def pieces(self) -> Iterator[bytes]:
        for _ in range(self._mib):
            yield PIECE


def main(arguments: list[str]) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="tools/bench objectstore", description=__doc__)
    parser.add_argument("--mib", type=int, default=1024, help="size of the object")
    parser.add_argument("--directory", type=Path, help="a folder on the disk to measure")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    directory = Path(tempfile.mkdtemp(prefix="bench-objectstore-", dir=given.directory))
    try:
        _measure(directory, given.mib, given.rounds)
    finally:
        shutil.rmtree(directory)
    return 0


def _measure(directory: Path, mib: int, rounds: int) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from nova.objectstore.records import Attributes
    from nova.objectstore.store import Store

    plain = Attributes(content_type="application/octet-stream", acl="private")
    store = Store(directory / "store")
    store.create_bucket("bench", "bench", "private")
    file = directory / "file"

    def get() -> None:
        info = store.find_object("bench", "key")
        assert info is not None
        for _ in store.read(info, 0, info.size_bytes):
            pass

    work: dict[str, Callable[[], object]] = {
        "write and fsync": lambda: _write(file, mib),
        "MD5 alone": lambda: _sum(mib),
        "put": lambda: store.put_object("bench", "key", _Body(mib), plain, lambda there: None),
        "read": lambda: _read(file),
        "get": get,
    }
    for name, function in work.items():
        speeds = []
        for _ in range(rounds):
            began = time.perf_counter()
            function()
            speeds.append(mib / (time.perf_counter() - began))
        print(f"{name:16} {sorted(speeds)[rounds // 2]:8.0f} MiB/s", flush=True)
    print(f"{'most memory':16} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:8} MiB")


def _write(path: Path, mib: int) -> None:
    with path.open("wb", buffering=0) as file:
        for _ in range(mib):
            file.write(PIECE)
        os.fsync(file.fileno())


def _read(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(len(PIECE)):
            pass


def _sum(mib: int) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    for _ in range(mib):
        digest.update(PIECE)
