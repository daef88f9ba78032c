"""The command `export`, which writes what was seeded to files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tformance_seed.cli import console
from tformance_seed.cli.connections import open_database
from tformance_seed.cli.options import Database, Json, Organisations, optional
from tformance_seed.cli.progress import export_progress
from tformance_seed.errors import InputError

if TYPE_CHECKING:
    from typing import TextIO

#: What stands for standard output in `--to`.
STANDARD_OUTPUT = "-"


def export(
    database: Database,
    organisations: Organisations = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="csv|parquet|sql", help="Form of the files.")
    ] = None,
    to: Annotated[
        str | None,
        optional(
            "PATH", "Folder for csv and parquet; file for sql (default: standard output, which is also -)."
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an export that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write what was seeded to files: CSV, Parquet or SQL.

    The same content gives the same bytes.
    """
    from tformance_seed.cli import export_view
    from tformance_seed.commands import export as exporting
    from tformance_seed.export.formats import FORMATS

    target = None if to in (None, STANDARD_OUTPUT) else Path(to or "")
    if form is None:
        raise InputError(f"--format is missing: choose one of {', '.join(FORMATS)}")
    exporting.check_request(form, target, replace=replace)
    if as_json and target is None:
        raise InputError("--json prints on standard output, too: add --to FILE")
    try:
        with open_database(database, "read") as opened, export_progress() as listener:
            exported = exporting.export(
                opened, organisations or (), form, target, _standard_output(), listener
            )
    except BrokenPipeError:
        return  # whoever closes standard output has read enough
    for note in exported.notes:
        console.print_warning(note)
    if target is not None:
        console.show(export_view.exported(exported, target), as_json=as_json)


def _standard_output() -> "TextIO":
    """Return standard output, which writes UTF-8 whatever the locale is."""
    stream = sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding="utf-8", newline="\n")
    return stream
