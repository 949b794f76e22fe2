"""Virtual environments: made once, brought up to date when what they should hold changes."""

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from standup import run


def ensure(venv: Path, key: str, installs: Sequence[Sequence[str]], log: Path) -> bool:
    """Make an environment and run pip install with each list of arguments, once per key.

    The key stands for everything that is installed. An environment that we made with another Python
    is made anew.
    Returns whether there was anything to do.
    """
    with _alone(venv):
        return _ensure(venv, key, installs, log)


def _ensure(venv: Path, key: str, installs: Sequence[Sequence[str]], log: Path) -> bool:
    mark, made_by = venv / "installed", venv / "made-by"
    wanted = hashlib.sha256(f"{sys.version} {key}".encode()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return False
    mark.unlink(missing_ok=True)
    if made_by.exists() and made_by.read_text() != sys.version:
        shutil.rmtree(venv)
    if not (venv / "bin" / "pip").exists():
        shutil.rmtree(venv, ignore_errors=True)
        run.logged([sys.executable, "-m", "venv", str(venv)], log)
        made_by.write_text(sys.version)
    for arguments in installs:
        command = [
            str(venv / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        run.logged([*command, *arguments], log)
    mark.write_text(wanted)
    return True


@contextmanager
def _alone(venv: Path) -> Iterator[None]:
    """Let one process at a time work on an environment."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with venv.with_name(f".{venv.name.lstrip('.')}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tree_digest(root: Path, names: Sequence[str]) -> str:
    """Return a digest of the files below some names of a directory, byte code left out."""
    digest = hashlib.sha256()
    for name in names:
        top = root / name
        files = sorted(top.rglob("*")) if top.is_dir() else [top] if top.exists() else []
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(root)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
