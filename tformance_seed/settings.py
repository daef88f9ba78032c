"""The environment, read in one place."""

import os

#: Where data goes unless ``--database`` or ``DATABASE_URL`` says otherwise.
DEFAULT_DATABASE = "sqlite:///tformance.db"


def database_url() -> str:
    """The database that the environment names, or the default one."""
    return os.environ.get("DATABASE_URL") or DEFAULT_DATABASE
