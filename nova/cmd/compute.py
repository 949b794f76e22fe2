"""The program nova-compute."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-compute")
    from nova.cmd.compose import compute

    compute.run()


if __name__ == "__main__":
    main()
