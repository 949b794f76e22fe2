"""The program nova-cert."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-cert")
    from nova.cmd.compose import cert

    cert.run()


if __name__ == "__main__":
    main()
