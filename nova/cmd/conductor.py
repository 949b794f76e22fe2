"""The program nova-conductor."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-conductor")
    from nova.cmd.compose import conductor

    conductor.run()


if __name__ == "__main__":
    main()
