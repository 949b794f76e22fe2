"""The program nova-xvpvncproxy."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-xvpvncproxy")
    from nova.cmd.compose import console_proxies

    console_proxies.run_xvpvncproxy()


if __name__ == "__main__":
    main()
