"""Say which URL was probably meant by one that is none, without showing what may be a password."""

import re

from tformance_seed.urls import parse_server_url, without_secrets

#: The example of a server's database, where nothing of what was typed can be shown.
SERVER = "postgresql://user:password@host/name"

#: A path that holds no secret of a URL.
PLAIN_PATH = re.compile(r"[\w./~ -]+")

#: Beginnings of URLs that other programs use for PostgreSQL, for SQLite and for servers of other kinds.
POSTGRESQL = re.compile(
    r"(?:jdbc:)?(?:postgis|postgres(?:ql)?|psql|pgsql|pg)(?:\+\w+)?:/{0,2}(?P<rest>.*)", re.I | re.S
)
SQLITE = re.compile(r"(?:sqlite3?|spatialite|file)(?:\+\w+)?:/{0,3}(?P<rest>.*)", re.I | re.S)
OTHER = re.compile(r"(?:mysql|mariadb|mongodb|oracle|mssql|sqlserver|duckdb|cockroachdb)\b", re.I)
FILE = re.compile(r"(?:[./~].*|.*\.(?:db|sqlite3?))", re.S)


def meant_database(url: str) -> str:
    """Return what to do about a database's URL whose kind is unknown; "" if nobody can tell."""
    if OTHER.match(url):
        return f"the application's databases are PostgreSQL: {SERVER}, or sqlite:///file.db to look at"
    if found := POSTGRESQL.match(url):
        meant = f"postgresql://{found['rest']}"
        shown = without_secrets(meant) if parse_server_url(meant) else SERVER
        return f"did you mean {shown}?"
    if (found := SQLITE.match(url)) and PLAIN_PATH.fullmatch(found["rest"]):
        return f"did you mean sqlite:///{found['rest']}?"
    if "@" not in url and ":" not in url and PLAIN_PATH.fullmatch(url) and FILE.fullmatch(url):
        return f"did you mean sqlite:///{url.removeprefix('./')}?"
    if re.search(r"@|=|postgres|^localhost|:\d+", url) and not url.startswith(("http://", "https://")):
        return f"did you mean {SERVER}?"
    return ""


def meant_broker(url: str) -> str:
    """Return the URL that was probably meant by one whose kind is unknown; "" if nobody can tell."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme.lower() in ("rabbitmq", "rabbit", "pyamqp", "amqp"):
        meant = f"amqp://{rest}"
        return without_secrets(meant) if parse_server_url(meant) else "amqp://host"
    address = rest if separator and scheme in ("http", "https", "tcp", "valkey") else url
    if re.fullmatch(r"[\w.-]+(:\d{1,5})?/?", address) and not address.startswith("-"):
        return f"redis://{address.rstrip('/')}/0"
    return ""
