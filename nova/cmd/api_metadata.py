"""The program nova-api-metadata."""

import sys
from typing import NoReturn

from nova.cmd import backend


def main() -> NoReturn:
    """Run the program."""
    backend.choose(sys.argv[1:], "nova-api-metadata")
    from nova.cmd.compose import api_metadata

    api_metadata.run()


if __name__ == "__main__":
    main()
