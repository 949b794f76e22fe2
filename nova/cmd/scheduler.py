"""The program nova-scheduler."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-scheduler")
    from nova.cmd.compose import scheduler

    scheduler.run()


if __name__ == "__main__":
    main()
