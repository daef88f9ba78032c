"""Defaults of options, and the environment, read in one place."""

import os

from tformance_seed.errors import InputError

#: Days of the window where neither days nor a scenario are given.
DEFAULT_DAYS = 90

#: Seed of all random numbers.
DEFAULT_SEED = 42

#: The database unless ``--database`` or ``DATABASE_URL`` names one.
DEFAULT_DATABASE = "sqlite:///tformance.db"

#: Requests for summaries in a second, over all workers.
DEFAULT_LLM_RATE = 50


def database_url() -> str:
    """Return ``DATABASE_URL``, else the default database."""
    return os.environ.get("DATABASE_URL") or DEFAULT_DATABASE


def broker_url() -> str | None:
    """Return ``BROKER_URL``, else ``REDIS_URL``; None: there are no workers."""
    return os.environ.get("BROKER_URL") or redis_url()


def redis_url() -> str | None:
    """Return ``REDIS_URL``: where results and the rate limit are kept if the broker is another."""
    return os.environ.get("REDIS_URL") or None


def llm_rate() -> int:
    """Return ``TFORMANCE_LLM_RATE``, the requests for summaries in a second over all workers.

    Raises:
      InputError: it is no whole number from 1 on.
    """
    text = os.environ.get("TFORMANCE_LLM_RATE") or str(DEFAULT_LLM_RATE)
    if not text.isdecimal() or int(text) < 1:
        raise InputError(
            f"TFORMANCE_LLM_RATE={text}: expected a whole number of requests in a second, at least 1"
        )
    return int(text)


def json_logs() -> bool:
    """Return whether workers log JSON lines: ``TFORMANCE_LOG=json``."""
    return os.environ.get("TFORMANCE_LOG") == "json"


def prometheus() -> bool:
    """Return whether workers keep Prometheus metrics: ``TFORMANCE_PROMETHEUS=1``."""
    return os.environ.get("TFORMANCE_PROMETHEUS") == "1"
