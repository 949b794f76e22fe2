"""A directory put aside, with the process dying at every possible moment."""

import os
import pathlib
import shutil

import pytest

from nova.virt.libvirt import paths
from nova.virt.libvirt.aside import Aside
from tests.fixtures.crash import Crash

UUID = "3f1a2b4c-0000-4000-8000-123456789abc"
ENOUGH = 100


@pytest.fixture
def root(tmp_path):
    own = tmp_path / UUID
    own.mkdir()
    (own / "disk").write_text("old")
    return tmp_path


def copy(source, target):
    for name in ("one", "two"):
        os.mkdir(os.path.join(target, name))
    text = pathlib.Path(source, "disk").read_text()
    pathlib.Path(target, "disk").write_text(f"copy of {text}")


def use(root, text):
    (root / UUID / "disk").write_text(text)


def contents(root, suffix=""):
    return (root / (UUID + suffix) / "disk").read_text()


def directories(root):
    return {path.name.removeprefix(UUID) for path in root.iterdir()}


def crashes(monkeypatch, prepare, work):
    """Yield the number of each crash after which work was not complete."""
    for number in range(ENOUGH):
        prepare()
        with Crash(monkeypatch, number) as crash:
            work()
        if not crash.happened:
            return
        yield number
    raise AssertionError("it never ends")


def fresh(root):
    def prepare():
        for path in root.iterdir():
            shutil.rmtree(path)
        (root / UUID).mkdir()
        use(root, "old")

    return prepare


def test_what_was_put_aside_stays_as_it_is(root):
    aside = Aside(str(root), UUID)
    aside.put("a b", copy)
    use(root, "changed")
    assert contents(root, "_resize") == "old"
    aside.put("a b", copy)
    assert (contents(root), contents(root, "_resize")) == ("changed", "old")
    aside.back()
    aside.back()
    assert (contents(root), directories(root)) == ("old", {""})


def test_dropping_keeps_what_is_in_use(root):
    aside = Aside(str(root), UUID)
    aside.put("a b", copy)
    aside.drop()
    aside.drop()
    assert (contents(root), directories(root)) == ("copy of old", {""})


def test_putting_aside_again_after_any_crash_completes_it(root, monkeypatch):
    aside, count = Aside(str(root), UUID), 0
    for _ in crashes(monkeypatch, fresh(root), lambda: aside.put("a b", copy)):
        aside.put("a b", copy)
        assert (contents(root), contents(root, "_resize")) == ("copy of old", "old")
        assert directories(root) == {"", "_resize"}
        count += 1
    assert count >= 5


def test_back_after_any_crash_of_putting_aside_restores(root, monkeypatch):
    aside = Aside(str(root), UUID)
    for _ in crashes(monkeypatch, fresh(root), lambda: aside.put("a b", copy)):
        aside.back()
        assert (contents(root), directories(root)) == ("old", {""})


def put(root):
    def prepare():
        fresh(root)()
        Aside(str(root), UUID).put("a b", copy)

    return prepare


@pytest.mark.parametrize("repeat", ["back", "put"])
def test_back_after_any_crash_can_be_repeated_and_so_can_a_resize(root, monkeypatch, repeat):
    aside, count = Aside(str(root), UUID), 0
    for _ in crashes(monkeypatch, put(root), aside.back):
        if repeat == "put":
            aside.put("c d", copy)
            # The copy is of either, for both were there; what matters is that both are whole.
            assert contents(root) == f"copy of {contents(root, '_resize')}"
        else:
            aside.back()
            assert (contents(root), directories(root)) == ("old", {""})
        count += 1
    assert count >= 3


def test_drop_after_any_crash_can_be_repeated(root, monkeypatch):
    aside, count = Aside(str(root), UUID), 0
    for _ in crashes(monkeypatch, put(root), aside.drop):
        aside.drop()
        assert (contents(root), directories(root)) == ("copy of old", {""})
        count += 1
    assert count >= 3


def test_what_an_earlier_resize_forgot_is_never_put_back(root):
    aside = Aside(str(root), UUID)
    aside.put("a b", copy)
    use(root, "in use for weeks")
    aside.put("b c", copy)
    assert contents(root, "_resize") == "in use for weeks"
    aside.back()
    assert contents(root) == "in use for weeks"


@pytest.mark.parametrize("suffix", ["", "_resize", "_new", "_old"])
def test_every_directory_of_a_server_is_known_to_be_its_own(suffix):
    assert paths.owner_of(UUID + suffix) == UUID


@pytest.mark.parametrize("name", ["_base", UUID + "_resize_old", UUID + "x", "x" + UUID, ""])
def test_other_directories_belong_to_nobody(name):
    assert paths.owner_of(name) is None
