"""The two ends of a session: a browser's WebSocket, and a plain or TLS stream.

Both are used in two ways: first blocking, with deadlines, while the session is made; then
non-blocking, by the relay.
"""

import base64
import binascii
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Protocol

from websockify.websocket import WebSocket

from nova.console.requests import limit, receive
from nova.exception import Invalid

READ_BYTES = 65536
# Frames are cut off the front of what was read: more at once makes many small ones dear.
BROWSER_READ_BYTES = 16384
MAX_MESSAGE_BYTES = 1024 * 1024
BINARY = "binary"
BASE64 = "base64"
_TEXT_FRAME, _BINARY_FRAME = 1, 2
_NOT_NOW = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BadWebSocket(Invalid):
    message = "{reason}"


class End(Protocol):
    """One end, as the relay uses it; its socket does not block."""

    @property
    def unsent(self) -> bool:
        """Tell whether something waits to be sent."""

    @property
    def half_closes(self) -> bool:
        """Tell whether one direction can go on when the other has ended."""

    def fileno(self) -> int:
        """Return the number of the socket."""

    def read(self) -> bytes | None:
        """Return what has come, which may be nothing; None at the end of the stream."""

    def write(self, data: bytes) -> None:
        """Send, or keep for flush() what can not be sent now."""

    def flush(self) -> None:
        """Send what waits, as far as possible."""

    def finish(self) -> None:
        """Tell the other side that nothing more comes, once all before is sent."""


class StreamEnd:
    """A TCP connection, plain or over TLS."""

    def __init__(self, sock: socket.socket, deadline: float, begun: bytes = b"") -> None:
        self.sock = sock
        self._deadline = deadline
        self._begun = begun
        self._unsent = b""
        self._finished = False

    # --- While the session is made: blocking

    def read_exactly(self, size: int) -> bytes:
        """Return that many bytes.  Raises: TimeoutError; OSError, also at the end."""
        while len(self._begun) < size:
            piece = receive(self.sock, size - len(self._begun), self._deadline)
            if not piece:
                raise ConnectionResetError("the connection was closed early")
            self._begun += piece
        found, self._begun = self._begun[:size], self._begun[size:]
        return found

    def send_all(self, data: bytes) -> None:
        """Send all bytes.  Raises: TimeoutError; OSError."""
        limit(self.sock, self._deadline)
        self.sock.sendall(data)

    def secure(self, context: ssl.SSLContext) -> socket.socket:
        """Go on with TLS, as its client; return the socket.  Raises: TimeoutError; OSError."""
        limit(self.sock, self._deadline)
        self.sock = context.wrap_socket(self.sock)
        return self.sock

    # --- The relay: non-blocking

    @property
    def unsent(self) -> bool:
        """Tell whether something waits to be sent."""
        return bool(self._unsent)

    @property
    def half_closes(self) -> bool:
        """Tell whether one direction can go on when the other has ended."""
        return not isinstance(self.sock, ssl.SSLSocket)

    def fileno(self) -> int:
        """Return the number of the socket."""
        return self.sock.fileno()

    def read(self) -> bytes | None:
        """Return what has come, which may be nothing; None at the end of the stream."""
        if self._begun:
            found, self._begun = self._begun, b""
            return found
        try:
            return self.sock.recv(READ_BYTES) or None
        except _NOT_NOW:
            return b""

    def write(self, data: bytes) -> None:
        """Send, or keep for flush() what can not be sent now."""
        self._unsent += data
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as possible."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
        except _NOT_NOW:
            return
        if self._finished and self.half_closes:
            self.sock.shutdown(socket.SHUT_WR)

    def finish(self) -> None:
        """Close our direction once all is sent; the other stays open if TLS is not used."""
        self._finished = True
        self.flush()


class BrowserEnd(WebSocket):
    """A browser's WebSocket, once check_handshake() let it pass; frames are websockify's.

    What is added: sending never blocks but keeps what is left; messages have a greatest size;
    text frames carry base64 if that is what the client asked for.
    """

    def __init__(self, sock: socket.socket, headers: Mapping[str, str], deadline: float) -> None:
        super().__init__()
        self._deadline = deadline
        self._begun = b""
        self._leaves = False
        limit(sock, deadline)
        given = {
            "upgrade": "websocket",
            "Sec-WebSocket-Version": headers["sec-websocket-version"],
            "Sec-WebSocket-Key": headers["sec-websocket-key"],
            "Sec-WebSocket-Protocol": chosen_protocol(headers.get("sec-websocket-protocol", "")),
        }
        self.accept(sock, given)

    def select_subprotocol(self, protocols: list[str]) -> str:
        """Return the protocol, of which chosen_protocol() has left one."""
        return protocols[0]

    def handle_ping(self, data: bytes) -> None:
        """Answer, unless the browser does not even take what it was sent before."""
        if not self.unsent:
            self.pong(data)

    # --- While the session is made: blocking

    def begin_waiting(self, deadline: float) -> None:
        """Wait from now on, until a new deadline, after having been non-blocking."""
        self._deadline = deadline
        if self.socket is not None:
            limit(self.socket, deadline)

    def read_exactly(self, size: int) -> bytes:
        """Return that many bytes of messages.  Raises: TimeoutError; OSError, also at the end."""
        while len(self._begun) < size:
            limit(self.socket, self._deadline)
            try:
                piece = self.recvmsg()
            except ssl.SSLWantReadError:
                continue
            if piece is None:
                raise ConnectionResetError("the browser closed the connection early")
            self._begun += piece
        found, self._begun = self._begun[:size], self._begun[size:]
        return found

    def send_all(self, data: bytes) -> None:
        """Send all bytes as one message.  Raises: TimeoutError; OSError."""
        self.sendmsg(data)
        self.flush_all()

    def flush_all(self) -> None:
        """Send what waits.  Raises: TimeoutError; OSError."""
        while self.unsent:
            limit(self.socket, self._deadline)
            self.flush()

    # --- The relay: non-blocking

    @property
    def unsent(self) -> bool:
        """Tell whether something waits to be sent."""
        return bool(self._send_buffer) and self.socket is not None

    @property
    def half_closes(self) -> bool:
        """Tell that a WebSocket is open in both directions or closed."""
        return False

    def fileno(self) -> int:
        """Return the number of the socket; -1 when it was closed."""
        number: int = self.socket.fileno() if self.socket is not None else -1
        return number

    def read(self) -> bytes | None:
        """Return what has come, which may be nothing; None at the end of the stream.

        Raises: BadWebSocket.
        """
        parts = [self._begun]
        self._begun = b""
        try:
            while True:
                piece = self.recvmsg()
                if piece is None:
                    return b"".join(parts) or None
                parts.append(piece)
                if not self.pending():
                    break
        except _NOT_NOW:
            pass
        # What breaks the protocol is answered with a goodbye by the library, which reads on.
        if self._sent_close and not self._received_close and not self._leaves:
            raise BadWebSocket(reason="The browser broke the WebSocket protocol.")
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        """Send a message, or keep for flush() what can not be sent now."""
        if data:
            self.sendmsg(data)
            self.flush()

    def flush(self) -> None:
        """Send what waits, as far as possible."""
        try:
            while self.unsent:
                self._flush()
        except _NOT_NOW:
            return

    def finish(self) -> None:
        """Say goodbye once all before is sent."""
        self.say_goodbye(1000, "")

    def say_goodbye(self, code: int, reason: str) -> None:
        """Say goodbye once all before is sent, and why."""
        self._leaves = True
        if self.socket is not None:
            self.shutdown(socket.SHUT_RDWR, code, reason)
            self.flush()

    # --- What websockify lets us change

    def _recv(self) -> bool:
        """Read more than 4 KiB at once: a selection for each of them took most of the time."""
        data = self.socket.recv(BROWSER_READ_BYTES)
        while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            data += self.socket.recv(BROWSER_READ_BYTES)
        self._recv_buffer += data
        return bool(data)

    def _send(self, data: bytes) -> None:
        self._send_buffer += data

    def _sendmsg(self, opcode: int, msg: bytes) -> None:
        if opcode == _BINARY_FRAME and self.protocol == BASE64:
            opcode, msg = _TEXT_FRAME, base64.b64encode(msg)
        super()._sendmsg(opcode, msg)

    def _decode_hybi(self, buf: bytes) -> Any:
        frame = super()._decode_hybi(buf)
        size = len(buf) if frame is None else len(frame["payload"]) + len(self._partial_msg)
        if size > MAX_MESSAGE_BYTES:
            raise BadWebSocket(reason="A message is too long.")
        if frame and frame["opcode"] == _TEXT_FRAME and self.protocol == BASE64:
            frame["payload"] = _from_base64(frame["payload"])
            frame["opcode"] = _BINARY_FRAME
        return frame


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise BadWebSocket(reason="A message is no base64.") from error


def chosen_protocol(offered: str) -> str:
    """Return the sub-protocol to answer: binary if offered, else base64 if offered, else none."""
    names = [one.strip() for one in offered.split(",")]
    return next((one for one in (BINARY, BASE64) if one in names), "")


def check_handshake(headers: Mapping[str, str]) -> None:
    """Refuse a handshake that is none.  Raises: BadWebSocket.

    Source: RFC 6455 section 4.2.1; versions 7 and 8 are drafts with the same frames.
    """
    if headers.get("sec-websocket-version") not in ("7", "8", "13"):
        raise BadWebSocket(reason="This version of the WebSocket protocol is not known.")
    try:
        key = base64.b64decode(headers.get("sec-websocket-key", ""), validate=True)
    except ValueError:
        key = b""
    if len(key) != 16:
        raise BadWebSocket(reason="The key of the WebSocket is malformed.")
