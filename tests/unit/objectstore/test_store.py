"""The store in a folder: durable, whole or not there, and never elsewhere."""

import concurrent.futures
import io
import os
import pathlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova.objectstore.errors import Refusal
from nova.objectstore.payload import Payload
from nova.objectstore.records import Attributes
from nova.objectstore.request import Request
from nova.objectstore.store import Store
from nova.objectstore.uploads import MIN_PART_BYTES

ATTRIBUTES = Attributes(content_type="text/x", acl="private")


def payload(body, length=None):
    headers = {"content-length": str(len(body) if length is None else length)}
    request = Request(
        method="PUT", raw_path="/box/a", query=(), headers=headers, stream=io.BytesIO(body)
    )
    return Payload(request, None)


def anything(there):
    """Let a PUT replace what there is."""


def put(store, key, body=b"hello", bucket="box"):
    return store.put_object(bucket, key, payload(body), ATTRIBUTES, anything)


def content(store, key, bucket="box"):
    info = store.find_object(bucket, key)
    return b"".join(store.read(info, 0, info.size_bytes))


def page(store, **asked):
    return store.list_objects(
        "box", **{"prefix": "", "delimiter": "", "marker": "", "limit": 1000, **asked}
    )


def refusal(call, *arguments, **named):
    with pytest.raises(Refusal) as caught:
        call(*arguments, **named)
    return caught.value.code


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "buckets")
    made.create_bucket("box", "demo", "private")
    return made


def data_of(store):
    return sorted(path.name for path in (store._root / "box" / "data").iterdir())


def test_object_is_replaced_whole_and_the_old_bytes_go(store):
    put(store, "a", b"one")
    put(store, "a", b"two")
    assert content(store, "a") == b"two"
    assert len(data_of(store)) == 1
    store.delete_object("box", "a")
    assert data_of(store) == [] and store.find_object("box", "a") is None


def test_failed_write_leaves_what_was_there(store):
    put(store, "a", b"one")
    with pytest.raises(Refusal):
        store.put_object("box", "a", payload(b"tw", length=3), ATTRIBUTES, anything)
    assert content(store, "a") == b"one"
    assert len(data_of(store)) == 1


def test_reader_keeps_the_bytes_that_it_began_with(store):
    info = put(store, "a", b"one")
    reading = store.read(info, 0, 3)
    put(store, "a", b"two")
    store.delete_object("box", "a")
    assert b"".join(reading) == b"one"
    reading.close()


def test_store_finds_everything_again(store, tmp_path):
    made = put(store, "a/b c")
    again = Store(tmp_path / "buckets")
    assert again.find_object("box", "a/b c") == made
    assert [one.name for one in again.list_buckets("demo")] == ["box"]
    assert again.list_buckets("other") == []


def test_bytes_are_synced_before_the_record_that_names_them(store, monkeypatch):
    events = []
    sync, rename = os.fsync, pathlib.Path.rename

    def synced(descriptor):
        events.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))
        sync(descriptor)

    def renamed(self, target):
        events.append(("rename", str(target)))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(pathlib.Path, "rename", renamed)
    info = put(store, "a")
    (name, _) = info.data[0]
    order = [kind for kind, path in events if path.endswith((name, "/data", "ka.json", "/keys"))]
    assert order == ["sync", "sync", "rename", "sync"]


def test_copy_shares_bytes_and_lives_alone(store):
    source = put(store, "a")
    store.copy_object(source, "box", "b", ATTRIBUTES)
    store.delete_object("box", "a")
    assert content(store, "b") == b"hello"


def test_list_rolls_up_and_goes_on_after_a_prefix(store):
    for key in ("a", "b/1", "b/2", "b0", "c/1"):
        put(store, key)
    first = page(store, delimiter="/", limit=2)
    assert ([one.key for one in first.objects], first.common_prefixes) == (["a"], ("b/",))
    second = page(store, delimiter="/", limit=2, marker=first.next_marker)
    assert ([one.key for one in second.objects], second.common_prefixes) == (["b0"], ("c/",))
    assert second.next_marker is None


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(keys=st.sets(NAMES.filter(lambda key: len(key.encode()) <= 1024), max_size=8))
def test_ec_08_every_key_is_kept_as_it_is_and_inside(store, keys):
    for key in keys:
        put(store, key, key.encode())
    found = page(store)
    assert [one.key for one in found.objects] == sorted(keys, key=str.encode)
    assert all(content(store, key) == key.encode() for key in keys)
    root = store._root.resolve()
    assert all(path.resolve().is_relative_to(root) for path in root.rglob("*"))
    assert {path.name for path in root.parent.iterdir()} == {root.name}
    for key in keys:
        store.delete_object("box", key)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a", "A" * 3, "a/b", "../x", ".locks", "a..b", "-ab", "a\0b", "x" * 64]
)
def test_ec_08_bucket_names_are_not_paths(store, name):
    assert refusal(store.create_bucket, name, "demo", "private") == "InvalidBucketName"
    assert refusal(store.get_bucket, name) == "NoSuchBucket"


@pytest.mark.parametrize("upload_id", ["", ".", "..", "../../box", "0" * 31, "0" * 32, "g" * 32])
def test_ec_08_upload_ids_are_not_paths(store, upload_id):
    for call in (store.uploads.list_parts, store.uploads.abort):
        assert refusal(call, "box", "a", upload_id) == "NoSuchUpload"


def test_upload_belongs_to_its_key(store):
    upload = store.uploads.create("box", "a", ATTRIBUTES)
    assert refusal(store.uploads.list_parts, "box", "b", upload) == "NoSuchUpload"


def test_small_part_in_the_middle_is_refused(store):
    upload = store.uploads.create("box", "a", ATTRIBUTES)
    parts = [store.uploads.put_part("box", "a", upload, number, payload(b"x")) for number in (1, 2)]
    wanted = [(part.number, part.etag) for part in parts]
    assert refusal(store.uploads.complete, "box", "a", upload, wanted) == "EntityTooSmall"
    store.uploads.put_part("box", "a", upload, 1, payload(bytes(MIN_PART_BYTES)))
    (first, second) = store.uploads.list_parts("box", "a", upload)
    wanted = [(1, first.etag), (2, second.etag)]
    assert store.uploads.complete("box", "a", upload, wanted).size_bytes == MIN_PART_BYTES + 1
    assert len(data_of(store)) == 2


def test_upload_that_ends_twice_keeps_its_bytes(store):
    """As after a crash between the record of the object and the end of the upload."""
    upload = store.uploads.create("box", "a", ATTRIBUTES)
    part = store.uploads.put_part("box", "a", upload, 1, payload(b"hello"))
    store.uploads.put_part("box", "a", upload, 2, payload(b"unused"))
    folder = store._root / "box" / "uploads" / upload
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    store.uploads.complete("box", "a", upload, [(1, part.etag)])
    folder.mkdir()
    for name, text in kept.items():
        (folder / name).write_bytes(text)
    store.uploads.abort("box", "a", upload)
    assert content(store, "a") == b"hello"
    assert len(data_of(store)) == 1


def test_one_of_many_wins_a_key_that_must_be_new(store):
    def must_be_new(there):
        if there is not None:
            raise Refusal(code="PreconditionFailed", reason="")

    def attempt(number):
        try:
            store.put_object("box", "a", payload(b"%d" % number), ATTRIBUTES, must_be_new)
        except Refusal:
            return None
        return number

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        won = [one for one in pool.map(attempt, range(16)) if one is not None]
    assert len(won) == 1
    assert content(store, "a") == b"%d" % won[0]
    assert len(data_of(store)) == 1


def test_bucket_goes_only_when_it_is_empty(store):
    put(store, "a")
    assert refusal(store.delete_bucket, "box") == "BucketNotEmpty"
    store.delete_object("box", "a")
    store.uploads.create("box", "b", ATTRIBUTES)
    store.delete_bucket("box")
    assert refusal(store.get_bucket, "box") == "NoSuchBucket"
    assert sorted(path.name for path in store._root.iterdir()) == [".locks", ".usage"]


def test_list_of_a_bucket_that_goes_meanwhile_says_so(store):
    store.delete_bucket("box")
    for listed in (
        lambda: store.list_objects("box", prefix="", delimiter="", marker="", limit=1),
        lambda: store.uploads.list_all("box"),
    ):
        with pytest.raises(Refusal) as refused:
            listed()
        assert refused.value.code == "NoSuchBucket"
