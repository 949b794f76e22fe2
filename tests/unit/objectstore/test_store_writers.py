"""Many writers at once, quotas, uploads in parts, and what is left behind."""

import datetime
import errno
import hashlib
import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova import clock, concurrency
from nova.objectstore.errors import Refusal
from nova.objectstore.usage import Quota
from tests.fixtures.object_store import PLAIN, Body, Shelf

PART = b"x" * 5 * 1024 * 1024
FUTURE = 2.0**40
WRITERS = 30


def at_once(work, count=WRITERS):
    """Run work(number) in threads; return what they returned or raised, in their order."""
    found = [None] * count
    start = threading.Event()

    def run(number):
        start.wait()
        try:
            found[number] = work(number)
        except Exception as error:
            found[number] = error

    threads = [concurrency.spawn(run, number) for number in range(count)]
    start.set()
    for thread in threads:
        thread.join()
    return found


def code_of(work):
    with pytest.raises(Refusal) as caught:
        work()
    return caught.value.code


# --- Writers at once


def test_writers_of_one_key_leave_one_whole_object(tmp_path):
    shelf = Shelf(tmp_path)
    stores = [shelf.store, shelf.again(), shelf.again()]

    def write(number):
        body = Body(*[b"%02d" % number] * 50)
        return stores[number % 3].put_object("box", "key", body, PLAIN, lambda there: None)

    assert all(not isinstance(one, Exception) for one in at_once(write))
    content = shelf.read("key")
    assert content == content[:2] * 50
    info = shelf.store.find_object("box", "key")
    assert info.etag == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert (shelf.bytes_kept(), shelf.oddities()) == (1, [])


def test_only_one_of_many_creates_what_must_not_be_there(tmp_path):
    shelf = Shelf(tmp_path)

    def refuse_if_there(there):
        if there is not None:
            raise Refusal(code="PreconditionFailed", reason="there is one")

    def write(number):
        body = Body(b"%d" % number)
        return shelf.store.put_object("box", "key", body, PLAIN, refuse_if_there)

    found = at_once(write)
    assert sum(isinstance(one, Refusal) for one in found) == WRITERS - 1
    assert shelf.bytes_kept() == 1


def test_parts_come_at_once(tmp_path):
    shelf = Shelf(tmp_path)
    upload = shelf.begin("key")
    at_once(lambda number: shelf.part("key", upload, number % 3 + 1, b"%d" % number))
    parts = shelf.store.uploads.list_parts("box", "key", upload)
    assert [part.number for part in parts] == [1, 2, 3]
    assert shelf.bytes_kept() == 3


# --- Quotas


@pytest.mark.parametrize("announces", [True, False])
def test_quota_race_never_stores_more_than_allowed(tmp_path, announces):
    shelf = Shelf(tmp_path, Quota(size_bytes=100))
    found = at_once(lambda number: shelf.put(f"k{number}", b"x" * 10, announces=announces))
    refused = [one.code for one in found if isinstance(one, Refusal)]
    assert refused == ["QuotaExceeded"] * (WRITERS - 10)
    assert (len(shelf.all_keys()), shelf.bytes_kept()) == (10, 10)
    assert shelf.oddities() == []


def test_quota_race_of_processes_counts_objects(tmp_path):
    shelf = Shelf(tmp_path, Quota(objects=7))
    stores = [shelf.again() for _ in range(3)]

    def write(number):
        store = stores[number % 3]
        return store.put_object("box", f"k{number}", Body(b""), PLAIN, lambda there: None)

    at_once(write)
    assert len(shelf.all_keys()) == 7


def test_quota_counts_what_is_replaced_deleted_and_in_parts(tmp_path):
    shelf = Shelf(tmp_path, Quota(size_bytes=10, objects=2))
    shelf.put("a", b"x" * 10)
    shelf.put("a", b"y" * 10)
    assert code_of(lambda: shelf.put("b", b"x")) == "QuotaExceeded"
    shelf.store.delete_object("box", "a")
    upload = shelf.begin("c")
    shelf.part("c", upload, 1, b"x" * 9)
    shelf.part("c", upload, 1, b"x" * 8)
    assert code_of(lambda: shelf.part("c", upload, 2, b"x" * 3)) == "QuotaExceeded"
    source = shelf.put("d", b"xx")
    assert code_of(lambda: shelf.store.copy_object(source, "box", "e", PLAIN)) == "QuotaExceeded"
    shelf.store.uploads.abort("box", "c", upload)
    shelf.put("e", b"x" * 8)
    assert code_of(lambda: shelf.put("f", b"")) == "QuotaExceeded"
    assert shelf.bytes_kept() == 2


def test_quota_is_of_a_project(tmp_path):
    shelf = Shelf(tmp_path, Quota(size_bytes=10))
    shelf.put("a", b"x" * 10)
    shelf.store.create_bucket("second", "demo", "private")
    shelf.store.create_bucket("theirs", "other", "private")

    def put(bucket):
        return shelf.store.put_object(bucket, "a", Body(b"x"), PLAIN, lambda there: None)

    assert code_of(lambda: put("second")) == "QuotaExceeded"
    put("theirs")


def test_quota_outlives_restarts_and_lost_accounts(tmp_path):
    shelf = Shelf(tmp_path, Quota(size_bytes=10))
    shelf.put("a", b"x" * 6)
    (shelf.root / ".usage" / "demo").write_text('{"size_bytes": 0, "objects": 0}')
    shelf.store = shelf.again()
    assert code_of(lambda: shelf.put("b", b"x" * 5)) == "QuotaExceeded"


def test_lowered_quota_lets_a_project_shrink(tmp_path):
    Shelf(tmp_path).put("a", b"x" * 10)
    small = Shelf.__new__(Shelf)
    small.root, small.quota = tmp_path / "buckets", Quota(size_bytes=5)
    small.store = small.again()
    small.put("a", b"x" * 9)
    small.store.delete_object("box", "a")
    assert small.bytes_kept() == 0


def test_deleted_bucket_gives_back_what_its_uploads_took(tmp_path):
    shelf = Shelf(tmp_path, Quota(size_bytes=10))
    shelf.part("a", shelf.begin("a"), 1, b"x" * 10)
    shelf.store.delete_bucket("box")
    shelf.store.create_bucket("box", "demo", "private")
    shelf.put("a", b"x" * 10)


# --- Uploads in parts


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(numbers=st.lists(st.integers(1, 10_000), min_size=1, max_size=3, unique=True))
def test_completed_upload_is_its_parts_in_order(tmp_path_factory, numbers):
    shelf = Shelf(tmp_path_factory.mktemp("store"))
    upload = shelf.begin("key")
    last = max(numbers)
    contents = {number: (PART if number != last else b"end") for number in numbers}
    wanted = sorted(shelf.part("key", upload, number, contents[number]) for number in numbers)
    info = shelf.store.uploads.complete("box", "key", upload, wanted)
    assert shelf.read("key") == b"".join(contents[number] for number in sorted(numbers))
    sums = b"".join(bytes.fromhex(etag) for _, etag in wanted)
    digest = hashlib.md5(sums, usedforsecurity=False).hexdigest()
    assert info.etag == f"{digest}-{len(numbers)}"
    assert shelf.store.uploads.list_all("box") == []
    assert shelf.bytes_kept() == len(numbers)


def test_uploads_that_can_not_be_completed_go_on(tmp_path):
    shelf = Shelf(tmp_path)
    upload = shelf.begin("key")
    small, end = (shelf.part("key", upload, number, b"x") for number in (1, 2))

    def complete(*wanted):
        return lambda: shelf.store.uploads.complete("box", "key", upload, list(wanted))

    assert code_of(complete(small, end)) == "EntityTooSmall"
    assert code_of(complete(end, small)) == "InvalidPartOrder"
    assert code_of(complete(small, (2, "0" * 32))) == "InvalidPart"
    assert code_of(complete(small, (3, end[1]))) == "InvalidPart"
    complete(end)()
    assert shelf.read("key") == b"x"
    assert code_of(complete(end)) == "NoSuchUpload"
    assert shelf.bytes_kept() == 1


def test_object_keeps_its_bytes_when_its_upload_did_not_go(tmp_path):
    shelf = Shelf(tmp_path)
    upload = shelf.begin("key")
    wanted = [shelf.part("key", upload, 1, b"content")]
    real = os.rename

    def rename(source, target):
        if "uploads" in str(source) and str(source).endswith(upload):
            raise OSError(errno.EIO, "Input/output error")
        real(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "rename", rename)
        with pytest.raises(Refusal):
            shelf.store.uploads.complete("box", "key", upload, wanted)
    assert shelf.read("key") == b"content"
    shelf.store.uploads.abort("box", "key", upload)
    assert shelf.read("key") == b"content"


# --- Leftovers


def test_old_uploads_go_and_young_ones_stay(tmp_path):
    shelf = Shelf(tmp_path, Quota(size_bytes=10))
    shelf.part("key", shelf.begin("key"), 1, b"x" * 10)
    now = clock.utcnow()
    day = datetime.timedelta(days=1)
    shelf.store.clean(leftovers_before=0, uploads_before=now - day)
    assert len(shelf.store.uploads.list_all("box")) == 1
    shelf.store.clean(leftovers_before=0, uploads_before=now + day)
    assert (shelf.store.uploads.list_all("box"), shelf.bytes_kept()) == ([], 0)
    shelf.put("key", b"x" * 10)


def test_cleaning_takes_what_nobody_names_once_it_is_old(tmp_path):
    shelf = Shelf(tmp_path)
    source = shelf.put("a", b"a")
    shelf.store.copy_object(source, "box", "b", PLAIN)
    shelf.part("c", shelf.begin("c"), 1, b"c")
    box = shelf.root / "box"
    (box / "data" / ("0" * 32)).write_bytes(b"lost")
    (box / "keys" / ("." + "1" * 32)).write_bytes(b"half")
    (box / "uploads" / ("2" * 32)).mkdir()
    (shelf.root / ("." + "3" * 32) / "deep").mkdir(parents=True)
    never = clock.utcnow() - datetime.timedelta(days=1)
    shelf.store.clean(leftovers_before=0, uploads_before=never)
    assert shelf.bytes_kept() == 4
    shelf.store.clean(leftovers_before=FUTURE, uploads_before=never)
    assert (shelf.bytes_kept(), shelf.oddities()) == (3, [])
    assert [shelf.read(key) for key in "ab"] == [b"a", b"a"]
    assert len(list((box / "uploads").iterdir())) == 1
