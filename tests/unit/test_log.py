"""Log lines: ids, escapes, masks."""

import logging
import sys

import pytest

from nova import log
from nova.context import RequestContext

CONTEXT = RequestContext(request_id="req-1", user_id="user-1", project_id="project-1")


@pytest.fixture
def line(conf):
    formatter = log.SafeFormatter(config=conf, project="nova")

    def make(message, *args, exc_info=None):
        record = logging.LogRecord(
            "nova.x", logging.WARNING, "f.py", 1, message, args, exc_info=exc_info
        )
        return formatter.format(record)

    return make


def test_request_and_instance_are_on_the_line(line):
    with log.bound(CONTEXT, "uuid-1"):
        text = line("built")
    assert "req-1" in text and "user-1" in text and "[instance: uuid-1] built" in text


def test_inner_binding_keeps_the_request(line):
    with log.bound(CONTEXT), log.bound(instance_uuid="uuid-1"):
        assert "req-1" in line("x") and "uuid-1" in line("x")
    assert log.current_request_id() is None


@pytest.mark.parametrize("evil", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\x00b", "a\u2028b", "a\x85b"])
def test_in_18_control_characters_are_escaped(line, evil):
    text = line("name %s", evil)
    assert len(text.splitlines()) == 1 and "\x1b" not in text and "\x00" not in text


def test_in_18_text_of_an_error_stays_on_its_line(line):
    try:
        raise ValueError("one\nTraceback: forged")
    except ValueError:
        text = line("failed", exc_info=sys.exc_info())
    assert not any(part.startswith("Traceback: forged") for part in text.splitlines())
    assert "ValueError: one\\nTraceback: forged" in text
    assert "test_log.py" in text


@pytest.mark.parametrize(
    "text",
    [
        "rabbit://nova:canary@host:5672/",
        "mysql+pymysql://nova:canary@host/nova",
        "{'adminPass': 'canary'}",
        '"admin_password": "canary"',
        "password=canary",
        "X-Auth-Token: canary",
        "metadata_proxy_shared_secret = canary",
        "{'user_data': 'canary'}",
    ],
)
def test_log_02_secrets_are_masked(line, text):
    assert "canary" not in line("%s", text)


def test_ordinary_text_is_left_alone():
    text = "Instance a: http://host:8774/v2.1 has 3 secrets of user@host"
    assert log.redact(log.escape(text)) == text
