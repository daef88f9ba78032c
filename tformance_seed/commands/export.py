"""Export what was seeded to files, or as a script."""

import hashlib
import importlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import peewee

from tformance_seed import ledger
from tformance_seed.bulk.peewee_internals import table_name
from tformance_seed.canonical_json import json_text
from tformance_seed.commands.maintain import find_own_teams
from tformance_seed.errors import InputError
from tformance_seed.export.formats import FORMATS, TableFile, Writer, file_names
from tformance_seed.export.rows import Numbers, chunks
from tformance_seed.export.sql_script import SqlScript
from tformance_seed.export.target import MANIFEST, check_target, new_file, new_folder
from tformance_seed.storage.models import APPLICATION, SeedTeam, Team, TeamMember
from tformance_seed.storage.schema.create import has_ledger
from tformance_seed.storage.transactions import snapshot
from tformance_seed.verification.canonical import set_canonical

#: Format of a folder -> module and class of its writer, which is imported when it is needed.
FOLDERS = {
    "csv": ("tformance_seed.export.csv_files", "CsvFiles"),
    "parquet": ("tformance_seed.export.parquet_files", "ParquetFiles"),
}

#: The version of the manifest of an export.
MANIFEST_VERSION = 1

#: Bytes of a file that are read at a time.
BLOCK = 1 << 20

#: Called with the number of organisations that are done, of all of them, and the rows so far.
Listener = Callable[[int, int, int], None]


@dataclass
class ExportedOrganisation:
    """An organisation that was exported, the slug of its team, and its rows in all tables."""

    organisation: str
    team: str
    rows: int = 0


@dataclass
class Exported:
    """What was exported.

    Attributes:
      target: where it is; None: on a stream.
      notes: remarks for the user, one line each.
    """

    format: str
    target: Path | None
    organisations: list[ExportedOrganisation]
    tables: list[TableFile]
    notes: list[str] = field(default_factory=list)


def check_request(form: str, target: Path | None, *, replace: bool) -> None:
    """Check what can be checked without a database.

    Parameters:
      form: one of ``FORMATS``.
      target: the folder, or for SQL the file; None: a stream.
    Raises:
      InputError: there is no such format, an extra is missing, or nothing can be written there.
    """
    if form not in FORMATS:
        raise InputError(f"--format {form}: no such format; expected one of {', '.join(FORMATS)}")
    if form in FOLDERS:
        if target is None:
            raise InputError(f"--format {form} writes a folder: add --to FOLDER")
        try:
            importlib.import_module(FOLDERS[form][0])
        except ImportError as error:
            raise InputError(
                "--format parquet needs an extra: pip install 'tformance_seed[parquet]'"
            ) from error
    if target is not None:
        check_target(target, is_folder=form in FOLDERS, replace=replace)


def export(
    database: peewee.Database,
    slugs: Sequence[str],
    form: str,
    target: Path | None,
    stream: TextIO,
    listener: Listener | None = None,
) -> Exported:
    """Export organisations, by default all that were seeded, completely or not at all.

    Organisations are in the order of their slugs, rows in that of their natural keys, and ids are numbered in
    this order: the same content gives the same bytes.

    Parameters:
      target: see ``check_request``, which must have been called.
      stream: where SQL goes if there is no target.
    Raises:
      InputError: an organisation is not there, was adopted, or is not completely seeded.
      SeedError: it could not be written, of which nothing is left then.
    """
    with snapshot(database):
        set_canonical(database)
        teams, notes = _teams(database, slugs)
        tables = [TableFile(table_name(model)) for model in APPLICATION]
        exported = Exported(form, target, [], tables, notes)
        if target is None:
            _write_script(database, teams, stream, exported, listener)
        elif form in FOLDERS:
            with new_folder(target) as folder:
                module, name = FOLDERS[form]
                writer: Writer = getattr(importlib.import_module(module), name)(folder)
                with closing(writer):
                    _write(database, teams, writer, exported, listener)
                _describe_files(folder, exported)
        else:
            with new_file(target) as path, path.open("x", encoding="utf-8", newline="\n") as file:
                _write_script(database, teams, file, exported, listener)
    return exported


def _teams(database: peewee.Database, slugs: Sequence[str]) -> tuple[list[SeedTeam], list[str]]:
    """Return the teams to export, by the slug of their organisation, and remarks on others."""
    own = find_own_teams(database, slugs)
    adopted = sorted(slug for slug, team in own.items() if not team.created_here)
    if slugs and adopted:
        raise InputError(
            f"the team {adopted[0]} was adopted, not created here: its rows are those of others too, so that "
            "nothing of it is exported"
        )
    chosen = sorted(own.keys() - set(adopted))
    unfinished = ledger.unfinished_organisations(database) if has_ledger(database) else set()
    if begun := [slug for slug in chosen if slug in unfinished]:
        raise InputError(
            f"{begun[0]}: a run is unfinished, so rows may be missing; let it finish or repeat its command, "
            "then export again"
        )
    if not chosen:
        raise InputError("nothing to export: every team here was adopted; start with: tformance-seed seed")
    return [own[slug] for slug in chosen], [
        f"{slug} is left out: its team was adopted, so its rows are those of others too" for slug in adopted
    ]


def _write_script(
    database: peewee.Database,
    teams: Sequence[SeedTeam],
    stream: TextIO,
    exported: Exported,
    listener: Listener | None,
) -> None:
    script = SqlScript(stream)
    _write(database, teams, script, exported, listener)
    script.close()


def _write(
    database: peewee.Database,
    teams: Sequence[SeedTeam],
    writer: Writer,
    exported: Exported,
    listener: Listener | None,
) -> None:
    numbers: dict[type[peewee.Model], Numbers] = {model: Numbers() for model in APPLICATION}
    total = 0
    for position, team in enumerate(teams):
        organisation = ExportedOrganisation(team.slug, team.team_slug)
        exported.organisations.append(organisation)
        for model, table in zip(APPLICATION, exported.tables, strict=True):
            numbers[model].begin_team()
            for columns in chunks(database, model, team.team_id, numbers):
                writer.write(model, columns)
                rows = len(columns[0])
                table.rows += rows
                organisation.rows += rows
                total += rows
                if listener is not None:
                    listener(position, len(teams), total)
        if isinstance(writer, SqlScript):
            writer.add_team(_ledger_entry(team, numbers))
    if listener is not None:
        listener(len(teams), len(teams), total)


def _ledger_entry(team: SeedTeam, numbers: dict[type[peewee.Model], Numbers]) -> dict[str, object]:
    """Return the ledger's entry of a team with its new ids, without the time of its last run."""
    known = [number for first, last in team.member_ids or () for number in range(first, last + 1)]
    return {
        "team_id": numbers[Team].replace([team.team_id], "seed_team.team_id")[0],
        "slug": team.slug,
        "team_slug": team.team_slug,
        "team_created_at": f"{team.team_created_at:%Y-%m-%d %H:%M:%S}",
        "created_here": True,
        "member_ids": None if team.member_ids is None else _ranges(numbers[TeamMember].replace_known(known)),
        "input_spec": team.input_spec,
        "source_state": team.source_state,
    }


def _ranges(numbers: Sequence[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges


def _describe_files(folder: Path, exported: Exported) -> None:
    """Add the files' sizes and digests to what was exported, and write the folder's manifest."""
    for name, table in zip(file_names(exported.format).values(), exported.tables, strict=True):
        path, digest = folder / name, hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
        table.file, table.bytes, table.sha256 = name, path.stat().st_size, digest.hexdigest()
    manifest = {
        "version": MANIFEST_VERSION,
        "format": exported.format,
        "organisations": [asdict(each) for each in exported.organisations],
        "tables": [asdict(table) for table in exported.tables],
    }
    (folder / MANIFEST).write_text(json_text(manifest) + "\n", encoding="utf-8", newline="\n")
