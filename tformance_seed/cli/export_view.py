"""Show what was exported as a table and as JSON."""

from pathlib import Path

from tformance_seed.cli.blocks import Table, View, counted
from tformance_seed.cli.objects import exports
from tformance_seed.commands.export import Exported


def exported(exported: Exported, target: Path) -> View:
    """Show the rows of each table, and where they are."""
    rows = [(table.table, table.rows) for table in exported.tables]
    total = sum(table.rows for table in exported.tables)
    organisations = counted(len(exported.organisations), "organisation")
    return View(
        exports.exported(exported, target),
        [
            Table("Exported", ("table", "rows"), rows),
            f"wrote {target}: {total:,} rows of {organisations}",
        ],
    )
