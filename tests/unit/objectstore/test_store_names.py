"""EC-08: no bucket and no key leads out of the store, and each leads to one object."""

import os
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova.objectstore import keys
from nova.objectstore.errors import Refusal
from tests.fixtures.object_store import Shelf

HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "/",
    "//",
    "/etc/passwd",
    "a//b",
    "a/",
    "a/../b",
    "a/./b",
    "%2e%2e%2f",
    "..\\..\\x",
    "~root",
    "-rf",
    "new\nline",
    "\x01\x7f",
    "k",
    ".json",
    "CON",
    "Case",
    "case",
    "é",
    "e\u0301",
    "\U0001f600" * 256,
    "a" * 1024,
    "/" * 1024,
    "." * 1024,
    "ж" * 512,
    "a" * 239 + "/",
]
BUCKETS = ["..", ".", "", "a/b", "../x", ".locks", ".usage", "A", "a\0b", "x" * 64, "a..b", "é"]

KEYS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300
).filter(lambda key: len(key.encode()) <= 1024)


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path)


def test_ec_08_hostile_keys_are_kept_apart_and_inside(shelf, tmp_path):
    for key in HOSTILE:
        shelf.put(key, key.encode())
    assert shelf.all_keys() == sorted(HOSTILE, key=str.encode)
    assert [shelf.read(key) for key in HOSTILE] == [key.encode() for key in HOSTILE]
    assert os.listdir(tmp_path) == ["buckets"]
    for key in HOSTILE:
        shelf.store.delete_object("box", key)
    assert shelf.bytes_kept() == 0
    shelf.store.delete_bucket("box")


@given(key=KEYS)
def test_ec_08_any_key_has_a_safe_name_of_its_own(key):
    name = keys.file_name(key)
    assert len(os.fsencode(name)) <= 255
    assert "/" not in name and "\0" not in name and keys.is_record(name)
    found, is_whole = keys.key_of(name)
    assert found == key if is_whole else key.startswith(found)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(key=KEYS)
def test_ec_08_any_key_comes_back(shelf, key):
    shelf.put(key, b"here")
    assert shelf.read(key) == b"here"
    assert shelf.all_keys() == [key]
    shelf.store.delete_object("box", key)
    assert shelf.all_keys() == []


@pytest.mark.parametrize("key", ["", "a\0b", "x" * 1025, "ж" * 513, "\ud800"])
def test_ec_08_keys_that_can_not_be_are_refused(shelf, key):
    for use in (lambda: shelf.put(key, b""), lambda: shelf.read(key), lambda: shelf.begin(key)):
        with pytest.raises(Refusal):
            use()


@pytest.mark.parametrize("name", BUCKETS)
def test_ec_08_buckets_that_can_not_be_are_refused(shelf, tmp_path, name):
    with pytest.raises(Refusal):
        shelf.store.create_bucket(name, "demo", "private")
    with pytest.raises(Refusal):
        shelf.store.get_bucket(name)
    assert os.listdir(tmp_path) == ["buckets"]


def test_ec_08_listing_shows_own_buckets_only(shelf):
    shelf.store.create_bucket("theirs", "other", "public-read")
    assert [one.name for one in shelf.store.list_buckets("demo")] == ["box"]
    assert [one.name for one in shelf.store.list_buckets("other")] == ["theirs"]


def test_ec_08_a_link_in_place_of_bytes_is_not_followed(shelf, tmp_path):
    canary = tmp_path / "canary"
    canary.write_bytes(b"secret")
    info = shelf.put("key", b"plain!")
    path = shelf.root / "box" / "data" / info.data[0][0]
    path.unlink()
    path.symlink_to(canary)
    with pytest.raises(Refusal):
        shelf.read("key")


def test_ec_08_a_link_in_place_of_a_record_is_not_followed(shelf, tmp_path):
    shelf.put("key", b"plain")
    path = shelf.root / "box" / "keys" / keys.file_name("key")
    outside = tmp_path / "record"
    path.rename(outside)
    before = outside.read_bytes()
    path.symlink_to(outside)
    assert shelf.read("key") is None
    shelf.put("key", b"again")
    assert shelf.read("key") == b"again"
    assert outside.read_bytes() == before


@pytest.mark.parametrize("folder", ["", "keys", "data", "uploads"])
def test_ec_08_a_link_in_place_of_a_folder_is_not_followed(shelf, tmp_path, folder):
    path = shelf.root / "box" / folder
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    with pytest.raises(Refusal):
        shelf.store.get_bucket("box")
    assert shelf.store.list_buckets("demo") == []


def test_ec_08_nobody_else_may_read_anything(shelf):
    before = os.umask(0)
    try:
        store = Shelf(shelf.root)
        store.put("key", b"x")
        store.part("big", store.begin("big"), 1, b"x")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.lstat().st_mode) for path in store.root.rglob("*") if path.is_file()}
    assert modes == {0o600}
    folders = [path for path in (store.root, *store.root.rglob("*")) if path.is_dir()]
    assert {stat.S_IMODE(path.lstat().st_mode) for path in folders} == {0o700}
