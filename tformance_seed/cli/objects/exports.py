"""The object of the command that exports."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, cast

from tformance_seed.cli.objects.shared import Slug

if TYPE_CHECKING:
    from tformance_seed.commands.export import Exported as Written


class ExportedOrganisation(TypedDict):
    """An organisation that was exported."""

    organisation: Slug
    team: Annotated[str, "slug of its team in the application"]
    rows: Annotated[int, "its rows in all tables"]


class ExportedTable(TypedDict):
    """A table that was exported."""

    table: Annotated[str, "name of the table"]
    rows: Annotated[int, "rows of all organisations"]
    file: Annotated[str | None, "name of its file; null for SQL, which has all tables in one"]
    bytes: Annotated[int | None, "size of its file; null for SQL"]
    sha256: Annotated[str | None, "SHA-256 of its file, in hexadecimal; null for SQL"]


class Exported(TypedDict):
    """What was exported."""

    format: Annotated[Literal["csv", "parquet", "sql"], "form of the files"]
    to: Annotated[str, "the folder or the file"]
    organisations: Annotated[list[ExportedOrganisation], "organisations that were exported"]
    tables: Annotated[list[ExportedTable], "tables of the application"]
    notes: Annotated[list[str], "remarks, which are warnings on standard error too"]


def exported(written: "Written", target: Path) -> Exported:
    """Return the object for what was exported."""
    return {
        "format": cast('Literal["csv", "parquet", "sql"]', written.format),
        "to": str(target),
        "organisations": [
            {"organisation": each.organisation, "team": each.team, "rows": each.rows}
            for each in written.organisations
        ],
        "tables": [
            {
                "table": table.table,
                "rows": table.rows,
                "file": table.file,
                "bytes": table.bytes,
                "sha256": table.sha256,
            }
            for table in written.tables
        ],
        "notes": written.notes,
    }
