"""The formats of an export, and what their writers have in common."""

from dataclasses import dataclass
from typing import Protocol

import peewee

from tformance_seed.bulk.peewee_internals import fields_of, table_name
from tformance_seed.export.rows import Values
from tformance_seed.storage.models import APPLICATION, ApplicationModel, PRSurvey

#: The formats, by the name that the user gives.
FORMATS = ("csv", "parquet", "sql")

#: Columns with which people get at something, which no warehouse needs.
SECRETS = frozenset({PRSurvey.token})


@dataclass
class TableFile:
    """What was exported of a table.

    Attributes:
      file: name of its file; None if all tables are in one.
      bytes: size of that file.
      sha256: digest of that file.
    """

    table: str
    rows: int = 0
    file: str | None = None
    bytes: int | None = None
    sha256: str | None = None


class Writer(Protocol):
    """Writes rows, team by team, parents before children."""

    def write(self, model: type[ApplicationModel], columns: list[Values]) -> None:
        """Write rows of a table: the columns of all its fields."""

    def close(self) -> None:
        """Write what is left."""


def public_fields(model: type[ApplicationModel]) -> list[tuple[int, peewee.Field]]:
    """Return the fields of a table for a warehouse, with their positions among all fields."""
    return [(place, field) for place, field in enumerate(fields_of(model)) if field not in SECRETS]


def file_names(suffix: str) -> dict[type[ApplicationModel], str]:
    """Return the name of each table's file."""
    return {model: f"{table_name(model)}.{suffix}" for model in APPLICATION}
