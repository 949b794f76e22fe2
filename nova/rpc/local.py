"""A bus inside one process, with the same encoding as the wire; loses messages on demand."""

import collections
import concurrent.futures
import dataclasses
import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from nova.exception import MessagingTimeout, ServiceNotListening
from nova.rpc.bus import Client
from nova.rpc.dispatch import Dispatcher
from nova.rpc.interface import Interface, Kind
from nova.rpc.message import Request, dumps, loads
from nova.rpc.notification import Notification
from nova.rpc.proxy import Address, InterfaceClient

LOG = logging.getLogger(__name__)

T = TypeVar("T", bound=Interface)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One message that went over the bus; size is that of its JSON text, without answer."""

    topic: str
    host: str | None
    namespace: str | None
    method: str
    kind: Kind
    size: int


class LocalServer:
    """Endpoints under a topic and a host name."""

    def __init__(self, bus: "LocalBus", topic: str, host: str, dispatcher: Dispatcher) -> None:
        self.topic = topic
        self.host = host
        self.dispatcher = dispatcher
        self.running = False
        self._bus = bus

    def start(self) -> None:
        """Begin to take messages."""
        self.running = True
        self._bus.attach(self)

    def stop(self) -> None:
        """Take no further messages; casts to this host are held until the next start."""
        self.running = False

    def restart(self) -> None:
        """Take messages anew."""
        self.stop()
        self.start()

    def drain(self, timeout_s: float) -> bool:
        """Wait for what runs; tell whether all of it ended."""
        return self._bus.wait(timeout_s)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    address: Address
    text: bytes
    method: str


class LocalBus:
    """Both ends of all messages; one lock guards the queues.

    Casts wait until run_until_idle() runs them in order; with threads above 0 that many
    workers run them at once, and run_until_idle() waits for them.
    calls records every message.
    """

    def __init__(self, threads: int = 0, pins: Mapping[str, str] | None = None) -> None:
        self.calls: list[CallRecord] = []
        self.notifications: collections.deque[Notification] = collections.deque(maxlen=1000)
        self.notifies = False
        self._pins = dict(pins or {})
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._servers: dict[str, list[LocalServer]] = collections.defaultdict(list)
        self._turns: dict[str, itertools.count[int]] = collections.defaultdict(itertools.count)
        self._jobs: collections.deque[Callable[[], object]] = collections.deque()
        self._held: list[_Message] = []
        self._delayed: list[_Message] = []
        self._faults: collections.Counter[tuple[str, str]] = collections.Counter()
        self._hooks: dict[str, collections.deque[Callable[[], object]]] = {}
        self._running = 0
        self._workers = concurrent.futures.ThreadPoolExecutor(threads, "bus") if threads else None

    # --- Bus

    def client(self, interface: type[T], topic: str | None = None) -> Client[T]:
        """Return the client of an interface; topic replaces the interface's own."""
        pin = self._pins.get(topic or interface.topic)
        return InterfaceClient(interface, self, pin, topic)

    def serve(
        self, topic: str, host: str, endpoints: Sequence[Interface], workers: int = 64
    ) -> LocalServer:
        """Return a server, not yet started."""
        return LocalServer(self, topic, host, Dispatcher(topic, endpoints))

    def notify(self, notification: Notification) -> None:
        """Keep the newest events, as whoever reads their JSON would see them."""
        payload = loads(
            dumps(notification.payload, notification.event_type), notification.event_type
        )
        self.notifications.append(dataclasses.replace(notification, payload=payload))

    def close(self) -> None:
        """End the workers."""
        if self._workers is not None:
            self._workers.shutdown(wait=True)

    def attach(self, server: LocalServer) -> None:
        """Register a started server, and deliver what was held for it."""
        with self._lock:
            if server not in self._servers[server.topic]:
                self._servers[server.topic].append(server)
            held, self._held = self._held, []
        for message in held:
            self._deliver(message)

    # --- Failure injection

    def drop_next(self, method: str, count: int = 1) -> None:
        """Lose the next messages of a method; a lost call times out at once."""
        self._faults["drop", method] += count

    def drop_answer_next(self, method: str, count: int = 1) -> None:
        """Carry out the next calls of a method, but lose their answers."""
        self._faults["drop_answer", method] += count

    def double_next(self, method: str, count: int = 1) -> None:
        """Deliver the next messages of a method twice."""
        self._faults["double", method] += count

    def delay_next(self, method: str, count: int = 1) -> None:
        """Hold the next casts of a method back until release_delayed()."""
        self._faults["delay", method] += count

    def release_delayed(self) -> None:
        """Deliver the casts that delay_next() held back."""
        delayed, self._delayed = self._delayed, []
        for message in delayed:
            self._deliver(message)

    def before_next(self, method: str, hook: Callable[[], object]) -> None:
        """Run a function just before the next message of a method is sent."""
        with self._lock:
            self._hooks.setdefault(method, collections.deque()).append(hook)

    def forget_faults(self) -> None:
        """Lose, double and delay no further messages."""
        with self._lock:
            self._faults.clear()
            self._hooks.clear()

    def forget_jobs(self) -> None:
        """Lose all queued work, as when the processes that have it end."""
        with self._lock:
            self._jobs.clear()

    def _fault(self, kind: str, method: str) -> bool:
        with self._lock:
            if self._faults[kind, method] <= 0:
                return False
            self._faults[kind, method] -= 1
            return True

    # --- Work that waits

    def spawn(self, function: Callable[..., object], *args: Any) -> None:
        """Run a function like a cast: queued, or on a worker.  Serves as a Pool in tests."""
        self._enqueue(lambda: function(*args))

    def run_until_idle(self, timeout_s: float = 60.0) -> None:
        """Run everything that is queued, and what comes of it, in this thread.

        Raises: MessagingTimeout when workers are still busy after timeout_s.
        """
        if self._workers is not None:
            if not self.wait(timeout_s):
                raise MessagingTimeout(topic="*", method="*", timeout_s=timeout_s)
            return
        while self._jobs:
            self._jobs.popleft()()

    def run_one(self) -> bool:
        """Run the oldest piece of queued work; False when there is none."""
        if not self._jobs:
            return False
        self._jobs.popleft()()
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait for busy workers; tell whether they became idle."""
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, timeout_s)

    def _enqueue(self, job: Callable[[], object]) -> None:
        if self._workers is None:
            self._jobs.append(job)
            return
        with self._lock:
            self._running += 1
        self._workers.submit(self._work, job)

    def _work(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception:
            LOG.exception("Unexpected error in a queued job")
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    # --- Transport

    def call(self, address: Address, request: Request, timeout_s: float) -> dict[str, Any]:
        """Carry out a request at once, in this thread."""
        message = self._record(address, request, Kind.CALL)
        server = self._choose(address)
        lost = MessagingTimeout(topic=address.topic, method=request.method, timeout_s=timeout_s)
        if server is None:
            raise ServiceNotListening(topic=address.topic, method=request.method)
        if self._fault("drop", request.method):
            raise lost
        answer = self._run(server, message)
        if self._fault("double", request.method):
            answer = self._run(server, message)
        if self._fault("drop_answer", request.method):
            raise lost
        result: dict[str, Any] = loads(dumps(answer, request.method), request.method)
        return result

    def cast(self, address: Address, request: Request) -> None:
        """Queue a request."""
        kind = Kind.FANOUT if address.everyone else Kind.CAST
        message = self._record(address, request, kind)
        if self._fault("drop", request.method):
            return
        if self._fault("delay", request.method):
            self._delayed.append(message)
            return
        self._deliver(message)
        if self._fault("double", request.method):
            self._deliver(message)

    def _record(self, address: Address, request: Request, kind: Kind) -> _Message:
        with self._lock:
            hooks = self._hooks.get(request.method)
            hook = hooks.popleft() if hooks else None
        if hook is not None:
            hook()
        text = dumps(request.message(), request.method)
        self.calls.append(
            CallRecord(
                topic=address.topic,
                host=address.host,
                namespace=request.namespace,
                method=request.method,
                kind=kind,
                size=len(text),
            )
        )
        return _Message(address=address, text=text, method=request.method)

    def _deliver(self, message: _Message) -> None:
        if message.address.everyone:
            for server in [s for s in self._servers[message.address.topic] if s.running]:
                self._post(server, message)
            return
        found = self._choose(message.address)
        if found is not None:
            self._post(found, message)
        else:
            LOG.debug("%s is held until its server starts", message.method)
            with self._lock:
                self._held.append(message)

    def _post(self, server: LocalServer, message: _Message) -> None:
        self._enqueue(lambda: self._run(server, message))

    def _run(self, server: LocalServer, message: _Message) -> dict[str, Any]:
        raw = loads(message.text, message.method)
        return server.dispatcher.dispatch_raw(raw, raw["context"])

    def _choose(self, address: Address) -> LocalServer | None:
        with self._lock:
            running = [
                s
                for s in self._servers[address.topic]
                if s.running and address.host in (None, s.host)
            ]
            if not running:
                return None
            return running[next(self._turns[address.topic]) % len(running)]
