"""Runs `report`, and changes databases behind its back."""

import base64
import json
import re
import zlib
from typing import Any

import psycopg2

from tests.support.commands import command

#: Options of a small organisation.
SEED = ("--members", "40", "--prs", "300", "--days", "30", "--until", "2026-03-18", "--adoption", "0.6")

#: Organisations in the database of ``filled``.
SLUGS = ["acme", "polar"]

#: A name that would run as a script, or be a part of the page, if the page were careless.
NASTY = "</script><script>document.title = 'mine'</script><b id=bold>\\n|\u2028 'x' \"y\" \u202e%s"


def report(url: str, *arguments: object) -> dict[str, Any]:
    """Return the report as JSON values."""
    result = command("report", *arguments, "--database", url, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def data_of_page(html: str) -> dict[str, Any]:
    """Return the data that a page's script reads."""
    packed = re.search(r'id="data">([^<]*)</script>', html)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def refusal(*arguments: object, **environment: str) -> str:
    """Return the one line with which `report` refuses wrong input."""
    result = command("report", *arguments, **environment)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert (result.stdout == "") != ("--json" in arguments)
    return result.stderr


def execute(url: str, sql: str) -> None:
    """Execute a statement on PostgreSQL outside of a transaction."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()
