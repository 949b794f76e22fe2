"""A crash or a failure at any step leaves the old object or the new one, and true accounts."""

import contextlib
import errno
import hashlib
import json
import os

import pytest

from nova.objectstore.errors import Refusal
from nova.objectstore.tree import Tree
from nova.objectstore.usage import Accounts, Quota, Usage
from tests.fixtures.object_store import PLAIN, Shelf

NEEDING_ROOM = ("open", "write", "fsync", "rename", "link", "mkdir")
STEPS = (*NEEDING_ROOM, "unlink", "rmdir")
OLD, NEW = b"old bytes", b"bytes that are new"
MIB = 1024 * 1024
FUTURE = 2.0**40


class Crash(BaseException):
    """The process is gone."""


class Interruption:
    """Lets the call of some number fail; after a crash, all later ones too."""

    def __init__(self, monkeypatch, step, error, *, is_crash):
        self._left, self._error, self._is_crash = step, error, is_crash
        self.happened = False
        for name in STEPS if is_crash else NEEDING_ROOM:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))

    def _wrapped(self, function):
        def call(*args, **kwargs):
            if not self._is_crash and function.__name__ == "open" and not args[1] & os.O_CREAT:
                return function(*args, **kwargs)
            self._left -= 1
            if self._left == 0 or (self.happened and self._is_crash):
                self.happened = True
                raise self._error
            return function(*args, **kwargs)

        return call


def put(shelf):
    shelf.put("key", NEW)


def put_other(shelf):
    shelf.put("other", NEW)


def copy(shelf):
    source = shelf.store.find_object("box", "source")
    shelf.store.copy_object(source, "box", "key", PLAIN)


def delete(shelf):
    shelf.store.delete_object("box", "key")


def part(shelf):
    upload = shelf.store.uploads.list_all("box")[0]
    shelf.part("key", upload.upload_id, 1, b"another part")


def complete(shelf):
    upload = shelf.store.uploads.list_all("box")[0]
    parts = shelf.store.uploads.list_parts("box", "key", upload.upload_id)
    shelf.store.uploads.complete(
        "box", "key", upload.upload_id, [(one.number, one.etag) for one in parts]
    )


def abort(shelf):
    upload = shelf.store.uploads.list_all("box")[0]
    shelf.store.uploads.abort("box", "key", upload.upload_id)


def begin(shelf):
    shelf.begin("another")


def bucket(shelf):
    shelf.store.create_bucket("other", "demo", "private")


AFTERWARDS = {
    put: (OLD, NEW),
    put_other: (OLD,),
    copy: (OLD, NEW),
    delete: (OLD, None),
    part: (OLD,),
    complete: (OLD, NEW),
    abort: (OLD,),
    begin: (OLD,),
    bucket: (OLD,),
}


def make_shelf(folder):
    shelf = Shelf(folder, Quota(size_bytes=100 * MIB, objects=100))
    shelf.put("key", OLD)
    shelf.put("source", NEW)
    shelf.part("key", shelf.begin("key"), 1, NEW)
    return shelf


def check(shelf, work):
    """Check what is there, that it can go on, and that nothing is left in the end."""
    assert shelf.read("key") in AFTERWARDS[work]
    assert shelf.read("source") == NEW
    store = shelf.again()
    shelf.store = store
    shelf.put("next", b"1")
    accounts = [Usage(**record) for record in records(shelf)]
    assert accounts == [Accounts(Tree(shelf.root), shelf.quota).count("demo")]
    for upload in store.uploads.list_all("box"):
        for one in store.uploads.list_parts("box", upload.key, upload.upload_id):
            assert (shelf.root / "box" / "data" / one.data).exists()
        store.uploads.abort("box", upload.key, upload.upload_id)
    assert list((shelf.root / "box" / "uploads").iterdir()) == []
    assert folders(shelf) == [one.name for one in store.list_buckets("demo")]
    store.clean(leftovers_before=FUTURE, uploads_before=store.get_bucket("box").created_at)
    assert shelf.oddities() == []
    assert shelf.bytes_kept() == len(shelf.all_keys())
    assert shelf.read("key") in AFTERWARDS[work]


def folders(shelf):
    return sorted(path.name for path in shelf.root.glob("[!.]*"))


def records(shelf):
    return [json.loads(path.read_bytes()) for path in (shelf.root / ".usage").glob("[!.]*")]


@pytest.mark.parametrize("work", AFTERWARDS, ids=lambda work: work.__name__)
def test_crash_at_any_step_leaves_old_or_new(tmp_path, work):
    for step in range(1, 100):
        shelf = make_shelf(tmp_path / str(step))
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Crash):
            interruption = Interruption(patch, step, Crash(), is_crash=True)
            work(shelf)
        check(shelf, work)
        if not interruption.happened:
            return
    pytest.fail("there was no end")


@pytest.mark.parametrize("work", AFTERWARDS, ids=lambda work: work.__name__)
def test_full_disk_at_any_step_is_told_and_leaves_old_or_new(tmp_path, work):
    for step in range(1, 100):
        shelf = make_shelf(tmp_path / str(step))
        full = OSError(errno.ENOSPC, "No space left on device")
        with pytest.MonkeyPatch.context() as patch:
            interruption = Interruption(patch, step, full, is_crash=False)
            try:
                work(shelf)
            except Refusal as error:
                assert error.code == "InsufficientStorage"
        # An upload that is out of sight when its folder can not be synced is left to clean().
        assert work in (complete, abort) or shelf.oddities() == []
        check(shelf, work)
        if not interruption.happened:
            return
    pytest.fail("there was no end")


def test_full_disk_while_bytes_come_leaves_nothing(tmp_path):
    shelf = make_shelf(tmp_path)
    kept = shelf.bytes_kept()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", full_after(3))
        with pytest.raises(Refusal, match="no room"):
            shelf.put("key", *[bytes(MIB)] * 4)
    assert (shelf.bytes_kept(), shelf.oddities(), shelf.read("key")) == (kept, [], OLD)


def test_body_that_can_not_fit_is_refused_before_it_comes(tmp_path):
    shelf = make_shelf(tmp_path)
    shelf.quota = Quota()
    store, upload = shelf.again(), shelf.begin("key")

    class Endless:
        length, checksum = 1 << 60, None

        def pieces(self):
            pytest.fail("the body was read")

    with pytest.raises(Refusal, match="no room"):
        store.put_object("box", "key", Endless(), PLAIN, lambda there: None)
    with pytest.raises(Refusal, match="no room"):
        store.uploads.put_part("box", "key", upload, 1, Endless())


def test_disk_that_fails_is_told_so_that_clients_try_again(tmp_path):
    shelf = make_shelf(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        Interruption(patch, 1, OSError(errno.EIO, "Input/output error"), is_crash=False)
        with pytest.raises(Refusal) as caught:
            put(shelf)
    assert caught.value.code == "ServiceUnavailable"


def test_large_object_has_the_sum_of_its_bytes(tmp_path):
    shelf = make_shelf(tmp_path)
    pieces = [bytes([number]) * (3 * MIB // 2) for number in range(24)]
    info = shelf.put("key", *pieces)
    body = b"".join(pieces)
    assert (info.etag, shelf.read("key")) == (hashlib.md5(body).hexdigest(), body)


def test_bytes_that_come_one_by_one_are_looked_at_once(tmp_path):
    asked = []

    class Piece(bytes):
        def __len__(self):
            asked.append(1)
            return 1

    shelf = make_shelf(tmp_path)
    shelf.put("key", *[Piece(b"x")] * 2000)
    assert len(shelf.read("key")) == 2000
    assert len(asked) < 10 * 2000


def test_disk_that_fails_on_the_way_leaves_nothing(tmp_path):
    shelf = make_shelf(tmp_path)
    kept = shelf.bytes_kept()

    def fail(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        with pytest.raises(Refusal, match="fails"):
            shelf.put("key", *[bytes(MIB)] * 40)
    assert (shelf.bytes_kept(), shelf.oddities(), shelf.read("key")) == (kept, [], OLD)


def full_after(count):
    """Return a write() that finds room for some pieces only."""
    real, left = os.write, iter(range(count))

    def write(descriptor, piece):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, piece)

    return write


def test_client_that_goes_away_leaves_nothing(tmp_path):
    shelf = make_shelf(tmp_path)
    kept = shelf.bytes_kept()

    class Broken:
        length, checksum = 10, None

        def pieces(self):
            yield b"half"
            raise Refusal(code="IncompleteBody", reason="gone")

    with pytest.raises(Refusal, match="gone"):
        shelf.store.put_object("box", "key", Broken(), PLAIN, lambda there: None)
    assert (shelf.bytes_kept(), shelf.oddities(), shelf.read("key")) == (kept, [], OLD)
