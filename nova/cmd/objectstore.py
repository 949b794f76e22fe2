"""The program nova-objectstore."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-objectstore")
    from nova.cmd.compose import objectstore

    objectstore.run()


if __name__ == "__main__":
    main()
