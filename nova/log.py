"""Set-up of logging: ids on each line, hostile text escaped, secrets masked."""

import contextlib
import contextvars
import copy
import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

from oslo_config import cfg
from oslo_log import formatters
from oslo_log import log as oslo_log

from nova.context import RequestContext

MASK = "***"

_QUIET = [
    "amqp=ERROR",
    "amqplib=WARN",
    "keystoneauth=WARN",
    "keystonemiddleware=WARN",
    "oslo.messaging=INFO",
    "oslo_messaging=INFO",
    "oslo.privsep.daemon=INFO",
    "oslo_policy=INFO",
    "routes.middleware=WARN",
    "sqlalchemy=WARN",
    "stevedore=WARN",
    "urllib3=WARN",
]

_current: contextvars.ContextVar[tuple[RequestContext | None, str | None]] = contextvars.ContextVar(
    "nova_log", default=(None, None)
)

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_URL_SECRET = re.compile(r"(?<=://)[^/\s@'\"]*:[^/\s'\"]*(?=@)")
_SECRET_WORD = (
    r"admin_?pass(?:word)?|passw(?:or)?d|x-(?:auth|service|subject)-token|auth_token|"
    r"[a-z_]*secret[a-z_]*|private_key|user_data"
)
_SECRET_PAIR = re.compile(
    rf"(?i)(\b(?:{_SECRET_WORD})['\"]?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;}}\])]+)"
)


def register_options(conf: cfg.ConfigOpts) -> None:
    """Declare the options of logging."""
    oslo_log.register_options(conf)
    oslo_log.set_defaults(default_log_levels=_QUIET)


def setup(conf: cfg.ConfigOpts) -> None:
    """Send log records where the configuration says."""
    oslo_log.setup(conf, "nova")
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, formatters.ContextFormatter):
            handler.setFormatter(
                SafeFormatter(config=conf, project="nova", datefmt=conf.log_date_format)
            )


@contextlib.contextmanager
def bound(
    context: RequestContext | None = None, instance_uuid: str | None = None
) -> Iterator[None]:
    """Put a request and an instance on all lines logged meanwhile by this thread.

    What is not given stays as it was.
    """
    request, instance = _current.get()
    token = _current.set((context or request, instance_uuid or instance))
    try:
        yield
    finally:
        _current.reset(token)


def current_request_id() -> str | None:
    """Return the id of the request that this thread works on."""
    request, _ = _current.get()
    return request.request_id if request else None


def escape(text: str) -> str:
    """Return a text in which control characters and line ends show as escapes."""
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def redact(text: str) -> str:
    """Return a text in which passwords, tokens and credentials in URLs are masked."""
    if "@" in text:
        text = _URL_SECRET.sub(f"{MASK}:{MASK}", text)
    return _SECRET_PAIR.sub(rf"\g<1>{MASK}", text)


class SafeFormatter(formatters.ContextFormatter):
    """Formats one record as one line, then its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: with ids, without control characters and secrets."""
        safe = copy.copy(record)
        safe.msg, safe.args = record.getMessage(), ()
        safe.exc_text = None
        request, instance_uuid = _current.get()
        safe.context = _values(request)
        if instance_uuid is not None and not hasattr(safe, "instance_uuid"):
            safe.instance_uuid = instance_uuid
        whole = super().format(safe)
        trace = safe.exc_text or ""
        head = whole[: len(whole) - len(trace)].rstrip("\n") if trace else whole
        head = escape(redact(head))
        return f"{head}\n{trace}" if trace else head

    def formatException(self, ei: Any, *, record: logging.LogRecord | None = None) -> str:
        """Return the traceback, each line with the prefix; texts of errors stay on one line."""
        lines: list[str] = []
        for chunk in traceback.format_exception(*ei):
            if chunk.startswith("  "):
                lines += chunk.rstrip("\n").split("\n")
            else:
                lines.append(chunk.strip("\n"))
        prefix = ""
        if record is not None:
            record.asctime = self.formatTime(record, self.datefmt)
            prefix = self.conf.logging_exception_prefix % record.__dict__
        return "\n".join(prefix + escape(redact(line)) for line in lines)


def _values(request: RequestContext | None) -> dict[str, Any]:
    if request is None:
        return {}
    return {
        "request_id": request.request_id,
        "global_request_id": request.global_request_id,
        "user": request.user_id,
        "project": request.project_id,
        "domain": request.user_domain_id,
        "user_domain": request.user_domain_id,
        "project_domain": request.project_domain_id,
        "system_scope": request.system_scope,
        "user_name": request.user_name,
        "project_name": request.project_name,
    }
