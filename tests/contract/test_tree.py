"""Rules about the tree itself."""

import ast
import configparser
import functools
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
NOVA = ROOT / "nova"
TESTS = ROOT / "tests"

SOURCES = sorted(NOVA.rglob("*.py"))
RPCAPIS = sorted({*NOVA.glob("*/rpcapi.py"), *NOVA.glob("*/rpcapi/[a-z]*.py")})


def name_of(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def imports(path: pathlib.Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return frozenset(found)


def test_package_files_are_empty():
    full = [name_of(p) for p in NOVA.rglob("__init__.py") if p.stat().st_size]
    assert full == []


def test_every_folder_is_a_package():
    bare = {name_of(p.parent) for p in SOURCES if not (p.parent / "__init__.py").exists()}
    assert bare - {"nova/db/migrations/versions"} == set()


def test_no_file_has_a_name_for_anything():
    vague = {"utils.py", "util.py", "common.py", "helpers.py", "helper.py", "misc.py"}
    assert [name_of(p) for p in SOURCES if p.name in vague] == []


def test_no_two_decisions_have_one_number():
    numbers = [path.name[:4] for path in (ROOT / "doc" / "decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("path", RPCAPIS, ids=name_of)
def test_interfaces_import_only_what_both_sides_have(path):
    allowed = ("nova.rpc", "nova.objects", "nova.context", "nova.exception")
    foreign = {
        one for one in imports(path) if one.startswith("nova") and not one.startswith(allowed)
    }
    assert foreign == set()


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("oslo_messaging", ("nova/rpc/",)),
        ("sqlalchemy", ("nova/db/",)),
        ("libvirt", ("nova/virt/libvirt/host.py", "nova/virt/libvirt/guest_calls.py")),
        ("eventlet", ("nova/concurrency.py", "nova/cmd/")),
    ],
)
def test_libraries_stay_in_their_adapter(library, homes):
    users = [
        name_of(path)
        for path in SOURCES
        if any(one.split(".")[0] == library for one in imports(path))
    ]
    assert [user for user in users if not user.startswith(homes)] == []


def test_nothing_of_ours_is_patched_by_name():
    patched = []
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _patches_ours(node):
                patched.append(f"{name_of(path)}:{node.lineno}")
    assert patched == []


def _patches_ours(node: ast.Call) -> bool:
    names = ast.unparse(node.func)
    if not names.endswith(("patch", "setattr")) or not node.args:
        return False
    first = node.args[0]
    return (
        isinstance(first, ast.Constant)
        and isinstance(first.value, str)
        and first.value.startswith("nova.")
    )


def test_every_program_has_a_main():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    programs = setup["options.entry_points"]["console_scripts"].strip().splitlines()
    for line in programs:
        module, _, function = line.split("=")[1].strip().partition(":")
        source = ROOT / (module.replace(".", "/") + ".py")
        assert source.exists(), f"{module} is missing"
        tree = ast.parse(source.read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert function in names, f"{module} has no {function}"


@pytest.mark.programs
def test_import_contracts_hold():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-500:]
