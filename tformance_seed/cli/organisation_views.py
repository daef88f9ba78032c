"""Show organisations as tables and JSON: the catalogue, weekly metrics, verification and removal."""

import difflib
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tformance_seed.catalog.organisations import Organisation
from tformance_seed.catalog.scenarios import Scenario
from tformance_seed.cli.blocks import Table, View, counted
from tformance_seed.cli.hints import PROGRAM
from tformance_seed.cli.objects import organisations as objects

if TYPE_CHECKING:
    from tformance_seed.bulk import Result
    from tformance_seed.commands.maintain import Verified
    from tformance_seed.ledger import Removal


def catalogue(
    organisations: Mapping[str, Organisation], scenarios: Mapping[str, Scenario], days: int
) -> View:
    """List organisations with their expected sizes, and scenarios; a table without rows is left out.

    Parameters:
      days: the length of the window for which the sizes are computed.
    """
    counts = {slug: organisation.expected_rows(days) for slug, organisation in organisations.items()}
    points = {name: scenario.point for name, scenario in scenarios.items()}
    tables = []
    if organisations:
        tables.append(
            Table(
                f"{counted(len(organisations), 'organisation')}, with about what {days} days of each produce",
                ("slug", "name", "industry", "repositories", *next(iter(counts.values()))),
                [
                    (slug, item.name, item.industry, len(item.repos), *counts[slug].values())
                    for slug, item in organisations.items()
                ],
                dispensable=("AI usage", "files", "commits", "repositories", "members", "industry", "name"),
            )
        )
    if points:
        columns = ("name", "the point of it")
        tables.append(Table("Scenarios", columns, list(points.items()), prose=["the point of it"]))
    return View(objects.catalogue(organisations, scenarios, days), tables)


def nothing_found(words: Sequence[str], known: Mapping[str, Organisation]) -> str:
    """Say that no organisation has some words, and which slugs are similar."""
    similar = [slug for word in words for slug in difflib.get_close_matches(word.lower(), known, n=2)]
    hint = f"; did you mean {' or '.join(similar)}?" if similar else ""
    return f"no organisation of the catalogue has {' and '.join(words)}{hint}"


def created(tables: Sequence[str]) -> View:
    """Say how many tables were created."""
    said = f"created {len(tables)} tables" if tables else "no table is missing"
    return View(objects.created(tables), [said])


def weekly(results: "Mapping[str, Result]", teams: Mapping[str, str]) -> View:
    """Show the number of rows of weekly metrics written, by organisation.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    rows = [(slug, result.written, result.unchanged) for slug, result in results.items()]
    table = Table("Weekly metrics", ("organisation", "rows written", "unchanged"), rows)
    return View(objects.weekly(results, teams), [table])


def verified(reports: "Sequence[Verified]", teams: Mapping[str, str]) -> View:
    """Show the digests of every organisation and table, and the violated rules.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    tables = [
        Table(
            f"{report.organisation}: {report.digest}",
            ("table", "rows", "digest"),
            [(name, content["rows"], content["digest"]) for name, content in report.tables.items()],
        )
        for report in reports
        if report.tables
    ]
    unfinished = [f"{report.organisation}: its run is unfinished" for report in reports if report.unfinished]
    notes = [
        f"{report.organisation}: a language model wrote {report.model_summaries:,} summaries; "
        "the digest leaves summaries out"
        for report in reports
        if report.model_summaries
    ]
    violations = [
        f"{report.organisation}: {violation.table}: {violation.name}: {violation.count:,} rows, "
        f"such as {violation.example}: {violation.meaning}"
        for report in reports
        for violation in report.violations
    ]
    data = objects.verified(reports, teams)
    return View(data, [*tables, *notes, *(unfinished + violations or ["every invariant holds"])])


def removal_question(planned: "Mapping[str, Removal]") -> tuple[str, list[str]]:
    """Return the question whether to remove rows, and how many of each organisation go and what stays."""
    lines = [f"{slug}: {_counts(removal.deleted)}{_stays(removal)}" for slug, removal in planned.items()]
    return f"Remove all of this, the seeded data of {', '.join(planned)}?", lines


def cleared(removed: "Mapping[str, Removal]", organisations: Sequence[str], teams: Mapping[str, str]) -> View:
    """Show the number of rows removed, by organisation, and the rows of others that stay.

    Parameters:
      organisations: those that the user named.
      teams: slug of an organisation -> slug of the team that it had.
    """
    lines = []
    for slug, removal in removed.items():
        lines.append(f"removed {sum(removal.deleted.values()):,} rows of {slug}{_stays(removal)}")
    if any(removal.kept for removal in removed.values()):
        tables = sorted({table for removal in removed.values() for table in removal.kept})
        left = " ".join(slug for slug, removal in removed.items() if removal.kept)
        included = shlex.quote(",".join(tables))
        lines += ["next: remove those too", f"  {PROGRAM} clear {left} --including {included}"]
    if not removed:
        lines.append(f"nothing to remove: nothing is seeded for {', '.join(organisations)}")
    return View(objects.cleared(removed, teams), lines)


def _stays(removal: "Removal") -> str:
    """Say which rows of others stay; empty if there are none."""
    return f"; rows of others stay, with the team: {_counts(removal.kept)}" if removal.kept else ""


def _counts(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{table} {count:,}" for table, count in rows.items() if count) or "no rows"
