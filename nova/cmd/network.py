"""The program nova-network."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-network")
    from nova.cmd.compose import network

    network.run()


if __name__ == "__main__":
    main()
