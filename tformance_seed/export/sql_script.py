"""Write one SQL script that PostgreSQL's psql and SQLite's shell both run, into tables that are empty.

Statements for one of them alone are hidden from the other: PostgreSQL nests comments and SQLite does not, so
that after ``/* /* */`` SQLite reads on and PostgreSQL is still in a comment; and SQLite takes for a name what
is between backticks. See https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-COMMENTS
and https://www.sqlite.org/lang_keywords.html.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

import peewee

from tformance_seed.bulk.peewee_internals import fields_of, table_name
from tformance_seed.canonical_json import json_text
from tformance_seed.export.rows import Values
from tformance_seed.export.target import HEADING
from tformance_seed.storage.models import APPLICATION, ApplicationModel, SeedTeam
from tformance_seed.storage.models.fields import NumericField

#: SQL for PostgreSQL alone; it may contain no backtick.
FOR_POSTGRESQL = "/* /* */ SELECT 0 AS ` */\n{}\n-- ` WHERE 0;\n"

#: SQL for SQLite alone; it may contain no beginning or end of a comment.
FOR_SQLITE = "/* /* */\n{}\n-- */\n"

#: How PostgreSQL is to read the script, whatever its settings.
SETTINGS = """\
SET client_encoding TO UTF8;
SET standard_conforming_strings TO on;
SET timezone TO UTC;"""

#: Lets the next row that the application adds have the next number; and enters the teams in the ledger if
#: there is one.
ENDING = """\
DO $tformance_seed$ BEGIN
{numbers}
IF to_regclass('seed_team') IS NOT NULL THEN
{teams}
END IF;
END $tformance_seed$;"""

#: Characters of JSON that are written as escapes, so that no text can end the part that it is in.
ESCAPES = {"/": "\\u002f", "*": "\\u002a", "`": "\\u0060", "$": "\\u0024"}

#: Characters of a statement; SQLite takes a million by default.
STATEMENT_LENGTH = 100_000

BOOLEANS = {None: "NULL", 0: "FALSE", 1: "TRUE"}


class SqlScript:
    """Writes a script to a stream of text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._teams: list[str] = []
        stream.write(f"{HEADING}, for empty tables of PostgreSQL and of SQLite\n")
        stream.write(FOR_POSTGRESQL.format(SETTINGS))
        stream.write("BEGIN;\n")

    def write(self, model: type[ApplicationModel], columns: list[Values]) -> None:
        """Write rows of a table."""
        fields = fields_of(model)
        names = ", ".join(f'"{field.column_name}"' for field in fields)
        head = f'INSERT INTO "{table_name(model)}" ({names}) VALUES\n'
        texts = [_literals(field, values) for field, values in zip(fields, columns, strict=True)]
        rows = [f"({', '.join(row)})" for row in zip(*texts, strict=True)]
        for portion in _portions(rows):
            self._stream.write(head + ",\n".join(portion) + ";\n")

    def add_team(self, values: Mapping[str, Any]) -> None:
        """Add an entry of the ledger, which is written at the end."""
        names = ", ".join(f'"{name}"' for name in values)
        literals = ", ".join(_ledger_literal(value) for value in values.values())
        insert = f'INSERT INTO "{table_name(SeedTeam)}" ({names}) VALUES ({literals});'  # noqa: S608 - quoted
        self._teams.append(insert)

    def close(self) -> None:
        """Write what must come last."""
        teams = "\n".join(self._teams)
        numbers = "\n".join(
            f"PERFORM setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name};"
            for name in map(table_name, APPLICATION)
        )
        self._stream.write(FOR_POSTGRESQL.format(ENDING.format(numbers=numbers, teams=teams)))
        self._stream.write(FOR_SQLITE.format(teams))
        self._stream.write("COMMIT;\n")


def _portions(rows: Sequence[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    length = 0
    for row in rows:
        if portion and length + len(row) > STATEMENT_LENGTH:
            yield portion
            portion, length = [], 0
        portion.append(row)
        length += len(row)
    if portion:
        yield portion


def _literals(field: peewee.Field, values: Values) -> list[str]:
    if isinstance(field, peewee.BooleanField):
        return [BOOLEANS[value] for value in values]
    is_number = isinstance(
        field, NumericField | peewee.IntegerField | peewee.BigAutoField | peewee.ForeignKeyField
    )
    literal = str if is_number else _quoted
    return ["NULL" if value is None else literal(value) for value in values]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _ledger_literal(value: Any) -> str:
    """Return a literal that contains nothing that could end the part that it is in."""
    if value is None or isinstance(value, bool):
        return {None: "NULL", False: "FALSE", True: "TRUE"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    return _quoted("".join(ESCAPES.get(each, each) for each in json_text(value)))
