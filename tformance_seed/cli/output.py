"""What the commands print: tables for people on standard output, one JSON object for machines."""

import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from tformance_seed.catalog.organisations import Organisation, expected
from tformance_seed.cli.tables import table
from tformance_seed.settings import DEFAULT_DATABASE

if TYPE_CHECKING:
    from tformance_seed.bulk import Result
    from tformance_seed.commands.maintain import Verified
    from tformance_seed.commands.preview import Preview
    from tformance_seed.commands.seed import Begun, Outcome, Report
    from tformance_seed.ledger import RunStatus, StageStatus


def _json(value: Any) -> None:
    import json

    print(json.dumps(value, indent=2, default=str))


#: Seconds without any sign of a worker after which the user is told how to start one.
NO_WORKER = 10.0


@contextmanager
def progress(*, workers: bool) -> Iterator[Callable[["RunStatus"], None] | None]:
    """Bars of a run on standard error while it goes on; None where that is no terminal.

    Parameters:
      workers: others do the work, so say so where none does.
    """
    if not workers and not sys.stderr.isatty():
        yield None
        return
    began = time.monotonic()
    told = False
    with _bars() as show:

        def tell(status: "RunStatus") -> None:
            nonlocal told
            if workers and not told and not status.heard and time.monotonic() - began > NO_WORKER:
                told = True
                print(
                    f"tformance-seed: run {status.run} waits: no worker has taken anything yet; start one "
                    "with: tformance-seed worker",
                    file=sys.stderr,
                )
            show(status)

        yield tell


def watch(look: Callable[[], "RunStatus"]) -> None:
    """Show a run on standard error until it is over."""
    with _bars() as show:
        while not (status := look()).over:
            show(status)
            time.sleep(1)


@contextmanager
def _bars() -> Iterator[Callable[["RunStatus"], None]]:
    if not sys.stderr.isatty():
        yield lambda _status: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def show(status: "RunStatus") -> None:
        counts = {"organisations": (sum(job.over for job in status.jobs), len(status.jobs))}
        for job in status.jobs:
            for stage in job.stages:
                done, total = counts.get(stage.stage, (0, 0))
                counts[stage.stage] = (done + stage.places_done, total + stage.places)
        for name, (done, total) in counts.items():
            if name not in tasks:
                tasks[name] = bars.add_task(name.replace("_", " "), total=total)
            bars.update(tasks[name], completed=done, total=total)

    with bars:
        yield show


def status(run: "RunStatus", *, as_json: bool) -> None:
    """How a run stands."""
    if as_json:
        _json(dataclasses.asdict(run))
        return
    left = "" if run.seconds_left is None else f", about {run.seconds_left:.0f} s left"
    rows = []
    for job in run.jobs:
        rows.append(
            (job.organisation, job.state, "", "", "", "", job.rows_written, job.rows_unchanged, job.reason)
        )
        rows += [
            ("", f"  {stage.stage}", stage.done, _hands(stage), stage.waiting, stage.failed, "", "", "")
            for stage in job.stages
        ]
    table(
        f"Run {run.run}: {run.state}, {run.rows_written:,} rows in {run.seconds:.1f} s, "
        f"{run.rows_a_second:,.0f} rows a second{left}",
        (
            "organisation",
            "state",
            "done",
            "in hand",
            "waiting",
            "failed",
            "rows written",
            "unchanged",
            "reason",
        ),
        rows,
    )


def _hands(stage: "StageStatus") -> str:
    """Tasks in hand; those of which nothing was heard for long apart."""
    return f"{stage.in_hand} + {stage.silent} silent" if stage.silent else str(stage.in_hand)


def detached(begun: "Begun", *, as_json: bool) -> None:
    """The name of a run that workers go on with."""
    name = begun.record.name
    if as_json:
        _json({"run": name, "failures": begun.failures})
    else:
        print(f"{name}\nnext: see how it goes with\n  tformance-seed status {name} --watch")


def cancelled(organisations: Sequence[str], run: "RunStatus", *, as_json: bool) -> None:
    """What was cancelled, and what is left of it."""
    jobs = [job for job in run.jobs if job.organisation in organisations]
    left = {job.organisation: sum(stage.waiting + stage.failed for stage in job.stages) for job in jobs}
    if as_json:
        _json({"run": run.run, "cancelled": left})
        return
    for slug, count in left.items():
        print(f"cancelled {slug}: {count} tasks of its phase left, and the phases after it")
    if not left:
        print(f"nothing to cancel: run {run.run} is {run.state}")
    else:
        print(f"next: go on with it by\n  tformance-seed retry {run.run}")


def seeded(outcome: "Outcome", database: str, *, as_json: bool) -> None:
    """The summary of a run, and what to type next."""
    from tformance_seed.storage.connection import redacted

    if as_json:
        _json(
            {
                "run": outcome.run,
                "database": redacted(database),
                "organisations": [_report(report) for report in outcome.reports],
                "tables": _results(_sum(outcome.reports)),
                "failures": outcome.failures,
            }
        )
        return
    totals = _sum(outcome.reports)
    table(
        f"Run {outcome.run}",
        ("table", "rows written", "unchanged", "seconds"),
        [(name, r.written, r.unchanged, r.seconds) for name, r in totals.items()],
    )
    for report in outcome.reports:
        how = "went on with" if report.resumed else "started over" if report.started_over else "seeded"
        typer.echo(
            f"{how} {typer.style(report.organisation, bold=True)}: {report.members:,} members, "
            f"{report.pull_requests:,} pull requests, {report.since} to {report.until}, "
            f"in {report.seconds:.1f} s"
        )
    if outcome.reports:
        named = f" --database {database}" if redacted(database) == database else " --database URL"
        where = "" if database == DEFAULT_DATABASE else named
        print(f"\nnext: check it and see its digest with\n  tformance-seed verify{where}")


def _report(report: "Report") -> dict[str, Any]:
    values = {field.name: getattr(report, field.name) for field in dataclasses.fields(report)}
    values["seconds"] = round(report.seconds, 3)
    return values | {"tables": _results(report.tables)}


def _results(tables: "Mapping[str, Result]") -> dict[str, dict[str, Any]]:
    return {
        name: {
            "rows_written": result.written,
            "rows_unchanged": result.unchanged,
            "seconds": round(result.seconds, 3),
        }
        for name, result in tables.items()
    }


def _sum(reports: "Sequence[Report]") -> "dict[str, Result]":
    from tformance_seed.bulk import Result

    totals: dict[str, Result] = {}
    for report in reports:
        for name, result in report.tables.items():
            totals[name] = totals.get(name, Result()) + result
    return totals


def dry_run(previews: "Sequence[Preview]", *, as_json: bool) -> None:
    """What a run would do."""
    if as_json:
        _json({"dry_run": True, "organisations": [dataclasses.asdict(preview) for preview in previews]})
        return
    table(
        "Dry run: nothing is written",
        (
            "organisation",
            "from",
            "to",
            "members",
            "pull requests",
            "AI usage rows, about",
            "what would happen",
        ),
        [
            (p.organisation, p.since, p.until, p.members, p.pull_requests, p.ai_usage_rows, p.action)
            for p in previews
        ],
    )


def organisations(catalog: Mapping[str, Organisation], days: int, *, as_json: bool) -> None:
    """The catalogue and the scenarios."""
    from tformance_seed.catalog.scenarios import SCENARIOS

    rows = {slug: expected(organisation, days) for slug, organisation in catalog.items()}
    if as_json:
        _json(
            {
                "days": days,
                "organisations": {
                    slug: dataclasses.asdict(catalog[slug]) | {"expected": counts}
                    for slug, counts in rows.items()
                },
                "scenarios": {name: scenario.point for name, scenario in SCENARIOS.items()},
            }
        )
        return
    table(
        f"{len(catalog)} organisations, with about what {days} days of each produce",
        ("slug", "name", "industry", "repositories", *next(iter(rows.values()))),
        [
            (slug, catalog[slug].name, catalog[slug].industry, len(catalog[slug].repos), *counts.values())
            for slug, counts in rows.items()
        ],
    )
    table("Scenarios", ("name", "the point of it"), [(name, s.point) for name, s in SCENARIOS.items()])


def weekly(results: "Mapping[str, Result]", *, as_json: bool) -> None:
    """Rows of weekly metrics by organisation."""
    if as_json:
        _json({"organisations": _results(results)})
        return
    table(
        "Weekly metrics",
        ("organisation", "rows written", "unchanged"),
        [(slug, result.written, result.unchanged) for slug, result in results.items()],
    )


def verified(reports: "Sequence[Verified]", *, as_json: bool) -> None:
    """Digests of every organisation and table, and what does not agree."""
    if as_json:
        _json({"organisations": {report.organisation: _verified(report) for report in reports}})
        return
    for report in reports:
        table(
            f"{report.organisation}: {report.digest}",
            ("table", "rows", "digest"),
            [(name, content["rows"], content["digest"]) for name, content in report.tables.items()],
        )
    for report in reports:
        for violation in report.violations:
            print(
                f"{report.organisation}: {violation.table}: {violation.name}: {violation.count:,} rows, "
                f"such as {violation.example}: {violation.meaning}"
            )
    if not any(report.violations for report in reports):
        print("every invariant holds")


def _verified(report: "Verified") -> dict[str, Any]:
    return {
        "digest": report.digest,
        "tables": report.tables,
        "violations": [dataclasses.asdict(violation) for violation in report.violations],
    }


def cleared(deleted: Mapping[str, Mapping[str, int]], *, as_json: bool) -> None:
    """Rows removed by organisation and table."""
    if as_json:
        _json({"organisations": deleted})
        return
    for slug, tables in deleted.items():
        print(f"removed {sum(tables.values()):,} rows of {slug}")
