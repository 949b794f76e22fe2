"""Entry of all tools of this directory: python3 tools/standup COMMAND ..."""

import importlib
import os
import sys
from pathlib import Path

COMMANDS = {
    "quickstart": "standup.quickstart_command",
    "services": "standup.services_command",
    "hosts": "standup.hosts_command",
    "test": "standup.test_command",
    "integration": "standup.integration_command",
    "supervise": "standup.supervise_command",
    "kernel-vm": "standup.kernel_vm_command",
    "host-init": "standup.host_init",
    "guests": "standup.guests_command",
    "relay": "standup.relay",
}


def main() -> int:
    """Run the command named first."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: standup {{{','.join(COMMANDS)}}} ...", file=sys.stderr)
        return 2
    command = importlib.import_module(COMMANDS[sys.argv[1]])
    try:
        status = int(command.main(sys.argv[2:]))
        sys.stdout.flush()
    except BrokenPipeError:  # who reads, as head does, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
