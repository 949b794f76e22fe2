"""The command: put a cloud up, measure it, remove it."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

from standup.errors import StandupError

from benchmark import cloud as clouds
from benchmark import object_store, report
from benchmark.cloud import Cloud
from benchmark.options import Options, parse
from benchmark.phases import Run
from benchmark.results import Results


def main(arguments: list[str]) -> int:
    """Run the command."""
    if arguments[:1] == ["objectstore"]:
        return object_store.main(arguments[1:])
    options = parse(arguments)
    directory: Path | None = None
    if options.end:
        clouds.remove(options.end.resolve())
        return 0
    try:
        directory = clouds.make_directory(options.directory)
        cloud = clouds.put_up(options, directory)
        _measure(options, cloud)
        return 0
    except StandupError as error:
        print(f"bench: {error.why}", file=sys.stderr)
        if error.log and options.keep:
            print(f"bench: the log is {error.log}", file=sys.stderr)
        return 1
    finally:
        if directory and options.keep:
            print(f"everything is still there in {directory}", file=sys.stderr)
            print(f"to end it: tools/bench --end {directory}", file=sys.stderr)
        elif directory:
            clouds.remove(directory)


def _measure(options: Options, cloud: Cloud) -> None:
    results = Results(
        label=options.label,
        when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        machine=_machine(options),
        starts=cloud.starts,
    )
    try:
        Run(options, cloud, results).carry_out()
    finally:
        if options.out:
            options.out.write_text(json.dumps(results.to_json(), indent=1) + "\n")
        print(report.text(results))


def _machine(options: Options) -> dict[str, object]:
    sizes = asdict(options.sizes)
    return {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
        "database": options.database,
        "concurrency": options.concurrency,
        "compute_processes": options.processes,
        "hosts": options.host_count,
        "parallel": options.parallel,
        "sizes": sizes,
    }
