"""Test settings: ``from myproject.settings import *`` comes first in yours."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent

SECRET_KEY = "of the tests alone"
USE_TZ = True
INSTALLED_APPS = ["metrics"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FOLDER / "db.sqlite3",
        # A file, not a database in memory: seeding opens a connection of its own.
        "TEST": {"NAME": FOLDER / "test_db.sqlite3"},
    }
}
if "PGDATABASE" in os.environ:
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ.get("PGPORT", ""),
        # Only where the tables do not come from Django's migrations: a database to copy.
        "TEST": {"TEMPLATE": os.environ.get("PGTEMPLATE")},
    }
