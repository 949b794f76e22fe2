"""Lists: any page equals that of a plain model."""

import tracemalloc

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nova.objectstore import keys
from nova.objectstore.selection import Selection
from tests.fixtures.object_store import Shelf

TEXT = st.text("ab/é\U0001f600", max_size=6)
NAMES = st.sets(TEXT.filter(bool), max_size=25)


def entries(names, prefix, delimiter, marker):
    """Return all entries of a list in order: the plain way."""
    found = set()
    for key in names:
        if key.startswith(prefix) and key.encode() > marker.encode():
            rest = key[len(prefix) :]
            is_rolled = delimiter and delimiter in rest
            found.add(prefix + rest.split(delimiter)[0] + delimiter if is_rolled else key)
    return sorted(found - {marker}, key=str.encode)


@given(names=NAMES, prefix=TEXT, delimiter=st.sampled_from(["", "/", "a/"]), marker=TEXT,
       count=st.integers(0, 30))  # fmt: skip
def test_selection_equals_the_model(names, prefix, delimiter, marker, count):
    selection = Selection(prefix=prefix, delimiter=delimiter, marker=marker, count=count)
    for key in names:
        selection.take(key)
    assert selection.entries == entries(names, prefix, delimiter, marker)[:count]


@given(names=NAMES, prefix=TEXT, delimiter=st.sampled_from(["", "/"]), marker=TEXT,
       count=st.integers(0, 4), cut=st.integers(0, 3))  # fmt: skip
def test_passing_over_unread_keys_loses_none(names, prefix, delimiter, marker, count, cut):
    selection = Selection(prefix=prefix, delimiter=delimiter, marker=marker, count=count)
    for key in names:
        if len(key) <= cut or selection.may_take(key[:cut]):
            selection.take(key)
    assert selection.entries == entries(names, prefix, delimiter, marker)[:count]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(names=st.sets(TEXT.filter(bool), max_size=8), prefix=st.sampled_from(["", "a", "a/"]),
       delimiter=st.sampled_from(["", "/"]), limit=st.integers(1, 4))  # fmt: skip
def test_pages_together_are_the_whole_list(tmp_path_factory, names, prefix, delimiter, limit):
    shelf = Shelf(tmp_path_factory.mktemp("store"))
    long = {name + "é" * 150 + name for name in names}
    for key in names | long:
        shelf.put(key, b"")
    seen, marker = [], ""
    while marker is not None:
        page = shelf.store.list_objects(
            "box", prefix=prefix, delimiter=delimiter, marker=marker, limit=limit
        )
        found = [*(info.key for info in page.objects), *page.common_prefixes]
        assert len(found) <= limit
        seen += sorted(found, key=str.encode)
        marker = page.next_marker
    assert seen == entries(names | long, prefix, delimiter, "")


def test_page_of_no_entries_is_whole(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put("a", b"")
    page = shelf.store.list_objects("box", prefix="", delimiter="", marker="", limit=0)
    assert (page.objects, page.next_marker) == ((), None)


def test_long_keys_of_other_pages_are_not_read(tmp_path):
    shelf = Shelf(tmp_path)
    for letter in "abcdef":
        shelf.put(letter + "é" * 200, b"")
    unreadable = shelf.root / "box" / "keys" / keys.file_name("f" + "é" * 200)
    unreadable.write_bytes(b"no record")
    page = shelf.store.list_objects("box", prefix="b", delimiter="", marker="", limit=2)
    assert [info.key[0] for info in page.objects] == ["b"]


def test_memory_of_a_page_does_not_grow_with_the_bucket():
    def peak(count):
        selection = Selection(prefix="", delimiter="/", marker="", count=100)
        tracemalloc.start()
        for number in range(count):
            selection.take(f"{(number * 7919) % count:09}/x")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(20_000) < 2 * peak(2_000)
