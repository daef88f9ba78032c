"""Show organisations as tables and JSON: the catalogue, weekly metrics, verification and removal."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tformance_seed.catalog.organisations import Organisation
from tformance_seed.catalog.scenarios import load_scenarios
from tformance_seed.cli.console import Table, View

if TYPE_CHECKING:
    from tformance_seed.bulk import Result
    from tformance_seed.commands.maintain import Verified


def catalogue(organisations: Mapping[str, Organisation], days: int) -> View:
    """List organisations with their expected sizes, and the scenarios.

    Parameters:
      days: the length of the window for which the sizes are computed.
    """
    counts = {slug: organisation.expected_rows(days) for slug, organisation in organisations.items()}
    points = {name: scenario.point for name, scenario in load_scenarios().items()}
    data = {
        "days": days,
        "organisations": {
            slug: dataclasses.asdict(organisation) | {"expected": counts[slug]}
            for slug, organisation in organisations.items()
        },
        "scenarios": points,
    }
    return View(
        data,
        [
            Table(
                f"{len(organisations)} organisations, with about what {days} days of each produce",
                ("slug", "name", "industry", "repositories", *next(iter(counts.values()))),
                [
                    (slug, item.name, item.industry, len(item.repos), *counts[slug].values())
                    for slug, item in organisations.items()
                ],
            ),
            Table("Scenarios", ("name", "the point of it"), list(points.items())),
        ],
    )


def weekly(results: "Mapping[str, Result]") -> View:
    """Show the number of rows of weekly metrics written, by organisation."""
    from tformance_seed.cli.run_views import results_data

    rows = [(slug, result.written, result.unchanged) for slug, result in results.items()]
    table = Table("Weekly metrics", ("organisation", "rows written", "unchanged"), rows)
    return View({"organisations": results_data(results)}, [table])


def verified(reports: "Sequence[Verified]") -> View:
    """Show the digests of every organisation and table, and the violated rules."""
    tables = [
        Table(
            f"{report.organisation}: {report.digest}",
            ("table", "rows", "digest"),
            [(name, content["rows"], content["digest"]) for name, content in report.tables.items()],
        )
        for report in reports
    ]
    violations = [
        f"{report.organisation}: {violation.table}: {violation.name}: {violation.count:,} rows, "
        f"such as {violation.example}: {violation.meaning}"
        for report in reports
        for violation in report.violations
    ]
    data = {"organisations": {report.organisation: _verified_data(report) for report in reports}}
    return View(data, [*tables, *(violations or ["every invariant holds"])])


def _verified_data(report: "Verified") -> dict[str, Any]:
    return {
        "digest": report.digest,
        "tables": report.tables,
        "violations": [dataclasses.asdict(violation) for violation in report.violations],
    }


def cleared(removed: Mapping[str, Mapping[str, int]]) -> View:
    """Show the number of rows removed, by organisation."""
    lines = [f"removed {sum(tables.values()):,} rows of {slug}" for slug, tables in removed.items()]
    return View({"organisations": removed}, lines)
