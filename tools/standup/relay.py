"""Let a network namespace reach TCP ports of the machine's loopback, and nothing else.

The listening sockets are made inside the namespace and belong to it; the connections onward are
made outside.
"""

import argparse
import asyncio
import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator
from pathlib import Path

CLONE_NEWNET = 0x40000000
CHUNK_BYTES = 256 * 1024


def main(arguments: list[str]) -> int:
    """Relay until told to end by a signal."""
    parser = argparse.ArgumentParser(prog="relay", description=__doc__)
    parser.add_argument("--netns", type=Path, required=True, help="file of the network namespace")
    parser.add_argument("--listen", required=True, help="address inside the namespace")
    parser.add_argument("ports", type=int, nargs="+")
    options = parser.parse_args(arguments)
    with inside(options.netns):
        listeners = {port: _listener(options.listen, port) for port in options.ports}
    asyncio.run(_serve(listeners))
    return 0


@contextlib.contextmanager
def inside(netns: Path) -> Iterator[None]:
    """Be in a network namespace for a while: sockets made meanwhile belong to it."""
    with open("/proc/self/ns/net") as home, netns.open() as away:
        _enter(away.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


def _listener(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(128)
    return listener


async def _serve(listeners: dict[int, socket.socket]) -> None:
    servers = [
        await asyncio.start_server(_Relay(port).accept, sock=listener)
        for port, listener in listeners.items()
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


class _Relay:
    """Connects whoever comes in with one port of the loopback."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Copy both ways until both sides have ended.

        A side that ends early is told to the other.
        """
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        except OSError:
            there_writer.transport.abort()
            writer.transport.abort()
        finally:
            there_writer.close()
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
