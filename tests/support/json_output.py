"""Checks what commands print with ``--json`` against the published schemas."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"

#: Whose errors are shown for a command line without a command that prints JSON.
ANY = "verify"


@cache
def validator(command: str) -> Draft202012Validator:
    """What checks an object against the published schema of a command, dates and times included."""
    schema = json.loads((SCHEMAS / f"{command}.json").read_text())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def check(arguments: tuple[object, ...], status: int | None, output: str) -> None:
    """Check that a command printed one object, valid against its schema, which agrees with its exit status.

    Parameters:
      arguments: the command line; nothing is checked unless it asks for JSON.
      status: the exit status; None: the command goes on.
    """
    if "--json" not in map(str, arguments):
        return
    value = json.loads(output)
    name = value["command"] or ANY
    errors = [_told(error) for error in validator(name).iter_errors(value)]
    assert errors == [], f"{arguments}: {errors}"
    assert value["command"] in (str(arguments[0]), None)
    if status is not None:
        assert (value["error"]["exit_status"] if value["error"] else 0) == status


def _told(error: Any) -> list[str]:
    return [each.message for each in error.context] or [error.message]


def by_organisation(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The objects in a command's list of organisations by slug."""
    return {each["organisation"]: each for each in value["organisations"]}


def rows_written(value: dict[str, Any]) -> int:
    """How many rows were written, to all tables of a list together."""
    return sum(table["rows_written"] for table in value["tables"])


def by_table(value: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The objects in a list of tables by name."""
    return {each["table"]: each for each in value["tables"]}
