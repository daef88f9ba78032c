"""Defaults of options, and all environment variables, read in one place."""

import os
import shlex
import shutil
from pathlib import Path

from tformance_seed.errors import InputError

#: Length of the window in days, if neither days nor a scenario are given.
DEFAULT_DAYS = 90

#: Seed for all random numbers.
DEFAULT_SEED = 42

#: URL of the database, unless ``--database`` or ``DATABASE_URL`` gives another one.
DEFAULT_DATABASE = "sqlite:///tformance.db"

#: URL of the database that ``serve`` keeps up, unless ``--database`` or ``DATABASE_URL`` gives another one.
DEFAULT_EMBEDDED = "embedded:///pg"

#: The user who is made to open seeded teams in the application, and the password, which is no secret.
DEFAULT_LOGIN = "demo@example.com"
DEFAULT_PASSWORD = "show_me_demo_data"  # noqa: S105 - it is documented

#: The application's address on its developers' machines, and the path of its login page.
DEFAULT_APPLICATION = "http://127.0.0.1:8000"
LOGIN_PATH = "/accounts/login/"

#: Where GitHub's GraphQL API is.
DEFAULT_GITHUB_URL = "https://api.github.com/graphql"

#: The value of ``--summaries`` with which no language model writes them.
GENERATED = "generated"

#: The maximum number of requests to a language model per second, over all workers, and the seconds that one
#: of them may take.
DEFAULT_LLM_RATE, DEFAULT_LLM_TIMEOUT = 50, 60


def checked_days(days: int | None) -> int | None:
    """Return a number of days, if one is given; raise InputError if it is not at least 1."""
    if days is not None and days < 1:
        raise InputError(f"--days {days}: impossible window; expected at least 1 day")
    return days


def database_url() -> str:
    """Return ``DATABASE_URL``, else the default database."""
    return os.environ.get("DATABASE_URL") or DEFAULT_DATABASE


def embedded_url() -> str:
    """Return ``DATABASE_URL`` if it is that of an embedded database, else the default one."""
    url = os.environ.get("DATABASE_URL") or ""
    return url if url.startswith("embedded://") else DEFAULT_EMBEDDED


def database_origin(url: str) -> str:
    """Return, for people, where the URL of a command's database comes from."""
    if url != database_url():
        return "--database"
    return "DATABASE_URL" if os.environ.get("DATABASE_URL") else "the default"


def broker_url() -> str | None:
    """Return ``TFORMANCE_BROKER_URL``; None if it is not set: then there are no workers.

    The package has a variable of its own: a broker that is set for some other program starts nothing here.
    """
    return os.environ.get("TFORMANCE_BROKER_URL") or None


def redis_url() -> str | None:
    """Return ``TFORMANCE_REDIS_URL``, which keeps results and rate limits if the broker is not Redis."""
    return os.environ.get("TFORMANCE_REDIS_URL") or None


def login_address() -> str:
    """Return the address of the application's login page; ``TFORMANCE_APP_URL`` says where it is."""
    return (os.environ.get("TFORMANCE_APP_URL") or DEFAULT_APPLICATION).rstrip("/") + LOGIN_PATH


def password() -> str:
    """Return ``TFORMANCE_PASSWORD``, the password of the user who is made, else the default one."""
    return os.environ.get("TFORMANCE_PASSWORD") or DEFAULT_PASSWORD


def github_url() -> str:
    """Return ``TFORMANCE_GITHUB_URL``, the address of the GraphQL API, else that of github.com."""
    return os.environ.get("TFORMANCE_GITHUB_URL") or DEFAULT_GITHUB_URL


def github_tokens() -> tuple[str, list[str]]:
    """Return the tokens for GitHub in the environment, and the name of the variable that has them."""
    if listed := os.environ.get("GITHUB_SEEDING_TOKENS"):
        tokens = [token.strip() for token in listed.split(",")]
        return "GITHUB_SEEDING_TOKENS", [token for token in tokens if token]
    single = (os.environ.get("GITHUB_TOKEN") or "").strip()
    return "GITHUB_TOKEN", [single] if single else []


def cache_folder() -> Path:
    """Return the folder for caches: that of the user (``XDG_CACHE_HOME``), else ``~/.cache``.

    Raises:
      InputError: the user has neither.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(caches).expanduser() / "tformance_seed"
    except RuntimeError:
        raise InputError("this user has no home folder for caches; set XDG_CACHE_HOME") from None


def llm_url() -> str | None:
    """Return ``TFORMANCE_LLM_URL``, the address of language models; None if it is not set."""
    return os.environ.get("TFORMANCE_LLM_URL") or None


def llm_key() -> str:
    """Return ``TFORMANCE_LLM_KEY``, the key that requests to a language model carry; empty for none."""
    return os.environ.get("TFORMANCE_LLM_KEY") or ""


def llm_rate() -> int:
    """Return ``TFORMANCE_LLM_RATE``, the maximum requests to a language model per second over all workers.

    Raises:
      InputError: it is not an integer of at least 1.
    """
    text = os.environ.get("TFORMANCE_LLM_RATE") or str(DEFAULT_LLM_RATE)
    return _at_least_one("TFORMANCE_LLM_RATE", text, "requests in a second")


def llm_timeout() -> int:
    """Return ``TFORMANCE_LLM_TIMEOUT``, the seconds that a request to a language model may take.

    Raises:
      InputError: it is not an integer of at least 1.
    """
    text = os.environ.get("TFORMANCE_LLM_TIMEOUT") or str(DEFAULT_LLM_TIMEOUT)
    return _at_least_one("TFORMANCE_LLM_TIMEOUT", text, "seconds")


def _at_least_one(name: str, text: str, unit: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{name}={text}: expected a whole number of {unit}, at least 1")
    return int(text)


def pager() -> tuple[list[str], dict[str, str]]:
    """Return the command that shows a text page by page, and its environment.

    The command is ``PAGER``, by default that of the system, and empty if that is empty or ``cat``. Where the
    user has not set ``LESS``, less shows colours, and ends at once what fits on the screen.
    """
    default = "less" if shutil.which("less") else "more"
    command = shlex.split(os.environ.get("PAGER", default))
    return [] if command in ([], ["cat"]) else command, {"LESS": "FRX", **os.environ}


def json_logs() -> bool:
    """Return whether workers log JSON lines (``TFORMANCE_LOG=json``)."""
    return os.environ.get("TFORMANCE_LOG") == "json"


def prometheus() -> bool:
    """Return whether workers keep Prometheus metrics (``TFORMANCE_PROMETHEUS=1``)."""
    return os.environ.get("TFORMANCE_PROMETHEUS") == "1"
