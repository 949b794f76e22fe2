"""The program nova-api."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-api")
    from nova.cmd.compose import api

    api.run()


if __name__ == "__main__":
    main()
