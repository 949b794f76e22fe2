"""The entry of all tools."""

import os
import subprocess

from standup.paths import TOOLS


def test_reader_that_has_had_enough_sees_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [str(TOOLS / "services"), "env", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
