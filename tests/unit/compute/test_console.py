import pytest

from nova.compute.console import MAX_BYTES, console_text

LINES = b"one\r\ntwo\r\nthree\r\n"


@pytest.mark.parametrize(
    ("tail_lines", "expected"),
    [
        (None, "one\ntwo\nthree\n"),
        (-1, "one\ntwo\nthree\n"),
        (0, ""),
        (1, "three\n"),
        (2, "two\nthree\n"),
        (99, "one\ntwo\nthree\n"),
    ],
)
def test_newest_lines_come_oldest_first(tail_lines, expected):
    assert console_text(LINES, tail_lines) == expected


def test_last_line_without_end_counts_as_a_line():
    assert console_text(b"one\nlogin: ", 1) == "login: "


def test_control_characters_and_escape_sequences_are_removed():
    raw = b"\x1b[0;32mok\x1b[0m\x00\x07\tdone\x7f\r\n\x1b[2J\x1b(\xc2\x9bend\n"
    assert console_text(raw, None) == "ok\tdone\n(end\n"


def test_invalid_bytes_are_replaced():
    assert console_text(b"a\xff\xfeb\n", None) == "a\ufffd\ufffdb\n"


def test_no_more_than_the_last_100_kib_are_returned():
    assert console_text(b"x" * (MAX_BYTES + 5), None) == "x" * MAX_BYTES
