"""Run a process supervisor for one directory, in the foreground, or stop the one that runs."""

import argparse
from pathlib import Path

from standup.manager import SupervisedPrograms
from standup.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="supervise", description=__doc__)
    parser.add_argument("--stop", action="store_true", help="stop all programs and wait")
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(arguments)
    if options.stop:
        SupervisedPrograms(options.directory).ask_to_end()
    else:
        Supervisor(options.directory).run()
    return 0
