"""Format workers' logs: lines for people, or JSON with run, organisation and shard for machines."""

import contextlib
import contextvars
import datetime
import json
import logging
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from tformance_seed import settings
from tformance_seed.execution import broker_errors, retry
from tformance_seed.ledger import TaskKey
from tformance_seed.printable import printable

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"

_current_task: contextvars.ContextVar[TaskKey | None] = contextvars.ContextVar("current_task", default=None)


@contextlib.contextmanager
def task_context(key: TaskKey) -> Iterator[None]:
    """Attribute everything logged within the block to a task."""
    token = _current_task.set(key)
    try:
        yield
    finally:
        _current_task.reset(token)


class TextFormatter(logging.Formatter):
    """Formats a record as text that controls no terminal, whatever a server put into a message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """Return the line, without a traceback."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        """Return the lines of a traceback."""
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


class JSONFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line break at the end."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if key := _current_task.get():
            line |= {"run": key.run, "organisation": key.organisation, "shard": f"{key.stage}/{key.offset}"}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line).replace("\x7f", "\\u007f")


class ExpectedErrors(logging.Filter):
    """Replaces the traceback of a broker's or a database's error by what to do about it.

    Libraries log such an error on every attempt.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; keep it."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return True
        is_broker = isinstance(error, broker_errors.broker_errors())
        failure = broker_errors.explain(error) if is_broker else retry.classify(error)
        if not isinstance(failure, retry.UnexpectedError):
            record.msg, record.args = f"{record.getMessage()} {failure}", ()
            record.exc_info = record.exc_text = None
        return True


def ignore_replaced_errors() -> None:
    """Keep what drivers written in C print off standard error: errors without a traceback, raised again."""
    report = sys.excepthook

    def report_unless_replaced(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        if traceback is not None:
            report(kind, error, traceback)

    sys.excepthook = report_unless_replaced


def configure() -> None:
    """Log to standard error, or to existing handlers, in the format that the settings specify."""
    ignore_replaced_errors()
    for_people = logging.StreamHandler()
    for_people.setFormatter(TextFormatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[for_people])  # unless there are handlers already
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    for handler in logging.getLogger().handlers:
        handler.addFilter(ExpectedErrors())
        if settings.json_logs():
            handler.setFormatter(JSONFormatter())
