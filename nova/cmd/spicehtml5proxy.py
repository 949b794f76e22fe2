"""The program nova-spicehtml5proxy."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-spicehtml5proxy")
    from nova.cmd.compose import console_proxies

    console_proxies.run_spicehtml5proxy()


if __name__ == "__main__":
    main()
