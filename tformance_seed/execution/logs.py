"""What workers say: lines for people, or JSON with run, organisation and shard for machines."""

import contextlib
import contextvars
import datetime
import json
import logging
from collections.abc import Iterator

from tformance_seed import settings
from tformance_seed.ledger import Key

FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"

_about: contextvars.ContextVar[Key | None] = contextvars.ContextVar("about", default=None)


@contextlib.contextmanager
def about(key: Key) -> Iterator[None]:
    """What is logged in here is about a task."""
    token = _about.set(key)
    try:
        yield
    finally:
        _about.reset(token)


class JSONLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if key := _about.get():
            line |= {"run": key.run, "organisation": key.organisation, "shard": f"{key.stage}/{key.start}"}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure() -> None:
    """Log to standard error, or go on with the handlers that there are, in the form that was asked for."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    if settings.json_logs():
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JSONLines())
