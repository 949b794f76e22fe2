"""Entry of the benchmark: python3 tools/benchmark ..."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmark.command import main

    sys.exit(main(sys.argv[1:]))
