"""The environment, read in one place."""

import os

from tformance_seed.errors import InputError

#: Where data goes unless ``--database`` or ``DATABASE_URL`` says otherwise.
DEFAULT_DATABASE = "sqlite:///tformance.db"

#: Requests for summaries a second, over all workers.
DEFAULT_LLM_RATE = 50


def database_url() -> str:
    """The database that the environment names, or the default one."""
    return os.environ.get("DATABASE_URL") or DEFAULT_DATABASE


def broker_url() -> str | None:
    """The broker that the environment names: ``BROKER_URL``, else ``REDIS_URL``; None: no workers."""
    return os.environ.get("BROKER_URL") or redis_url()


def redis_url() -> str | None:
    """Redis, for results and the rate limit where the broker is another."""
    return os.environ.get("REDIS_URL") or None


def llm_rate() -> int:
    """Requests for summaries a second, over all workers: ``TFORMANCE_LLM_RATE``."""
    text = os.environ.get("TFORMANCE_LLM_RATE") or str(DEFAULT_LLM_RATE)
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"TFORMANCE_LLM_RATE={text}: want a whole number of requests a second, at least 1")
    return int(text)


def json_logs() -> bool:
    """Whether workers log JSON lines: ``TFORMANCE_LOG=json``."""
    return os.environ.get("TFORMANCE_LOG") == "json"


def prometheus() -> bool:
    """Whether workers keep Prometheus metrics: ``TFORMANCE_PROMETHEUS=1``."""
    return os.environ.get("TFORMANCE_PROMETHEUS") == "1"
