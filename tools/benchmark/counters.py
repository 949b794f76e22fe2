"""Counters of the message broker and of the database."""

from __future__ import annotations

import re
from dataclasses import dataclass

from standup import run
from standup.mariadb import MariaDB
from standup.rabbitmq import RabbitMQ, control

_READS = ("Com_select",)
_WRITES = ("Com_insert", "Com_update", "Com_delete", "Com_insert_select", "Com_replace")
_COMMITS = ("Com_commit",)


@dataclass(frozen=True)
class Statements:
    """SQL statements since the start of the server; BEGIN, COMMIT and the like are not in
    reads and writes.
    """

    reads: int
    writes: int
    commits: int


def messages(node: RabbitMQ) -> int:
    """Return how many messages the broker has been given: a call counts two, a cast one."""
    counters = control(node, "eval", "rabbit_global_counters:overview().")
    return sum(
        int(count) for count in re.findall(r"messages_received_total\s*=>\s*(\d+)", counters)
    )


def statements(server: MariaDB) -> Statements:
    """Return how many statements the server has carried out."""
    names = ", ".join(f"'{name}'" for name in (*_READS, *_WRITES, *_COMMITS))
    command = ["mariadb", "--no-defaults", f"--socket={server.socket}", "--user=root", "--batch"]
    query = f"SHOW GLOBAL STATUS WHERE Variable_name IN ({names});\n"
    lines = run.output(command, run.Settings(input_text=query)).splitlines()[1:]
    values = {name: int(value) for name, value in (line.split() for line in lines)}
    return Statements(
        reads=sum(values[name] for name in _READS),
        writes=sum(values[name] for name in _WRITES),
        commits=sum(values[name] for name in _COMMITS),
    )
