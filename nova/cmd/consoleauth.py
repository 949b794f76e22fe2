"""The program nova-consoleauth."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-consoleauth")
    from nova.cmd.compose import consoleauth

    consoleauth.run()


if __name__ == "__main__":
    main()
