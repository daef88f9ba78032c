"""Show how far runs got: one of them, briefly or by organisation and stage, and the list of all."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tformance_seed.cli.blocks import Line, Paragraph, Table, View, counted, rate
from tformance_seed.cli.hints import PROGRAM
from tformance_seed.cli.objects import runs as objects
from tformance_seed.cli.progress import duration
from tformance_seed.ledger import JobStatus, RunStatus, RunSummary, StageStatus

#: The number of rows up to which a run is shown by organisation and stage, unless that is asked for.
SHORT = 16

#: The numbers of organisations that are listed of those that are slowest, and of reasons why some are not
#: done; and how many of the organisations with a reason are named.
SLOWEST, REASONS, NAMED = 3, 2, 3

#: Seconds without a word from workers after which the status says so.
SILENT_AFTER = 30.0

STATUS_COLUMNS = (
    "organisation",
    "state",
    "done",
    "running",
    "waiting",
    "failed",
    "rows written",
    "unchanged",
    "reason",
)

RUN_COLUMNS = ("run", "began", "state", "organisations", "finished", "rows written", "unchanged", "seconds")


def status(run: RunStatus, teams: Mapping[str, str], *, everything: bool) -> View:
    """Show the state of a run: every organisation with its stages, or if that is long, what matters of it.

    Parameters:
      teams: slug of an organisation -> slug of its team.
      everything: whether to show every organisation however long that is.
    """
    blocks: list[Table | Line | Paragraph | str] = [*_head(run), Line()]
    detailed = _organisations(run)
    if everything or len(detailed.rows) <= SHORT:
        blocks.append(detailed)
    else:
        blocks += [*_unfinished(run), *_failures(run.jobs), _slowest(run.jobs)]
        blocks.append(f"every organisation with its stages: {PROGRAM} status {run.run} --all")
    if run.state in ("failed", "cancelled"):
        blocks += ["next: continue it with", f"  {PROGRAM} retry {run.run}"]
    return View(objects.status(run, teams), blocks)


def _head(run: RunStatus) -> Iterator[Line | Paragraph]:
    states = Counter(job.state for job in run.jobs)
    left = "" if run.seconds_left is None else f", about {duration(run.seconds_left)} left"
    yield Line(label=f"Run {run.run}: {run.state}{left}")
    yield Line(
        f"{counted(len(run.jobs), 'organisation')}: "
        + ", ".join(f"{count} {state}" for state, count in states.most_common())
    )
    yield Line(
        f"{run.rows_written:,} rows written, {run.rows_unchanged:,} unchanged, in "
        f"{duration(run.seconds)}{rate(run.rows_written, run.rows_per_second)}"
    )
    if run.silent_seconds is not None and run.silent_seconds >= SILENT_AFTER:
        yield Paragraph(
            f": nothing was heard from workers for {duration(run.silent_seconds)}; start one with: "
            f"{PROGRAM} worker; or go on without one: {PROGRAM} retry {run.run} --broker none",
            label="silence",
            label_style={"fg": "yellow"},
        )


def _organisations(run: RunStatus) -> Table:
    """Show each organisation, with a row for each of its stages."""
    rows: list[tuple[Any, ...]] = []
    for job in run.jobs:
        written = (job.rows_written, job.rows_unchanged)
        rows.append((job.organisation, job.state, "", "", "", "", *written, job.reason))
        rows += [("", stage.stage, *_tasks([stage]), "", "", "") for stage in job.stages]
    return Table(
        "Organisations, with the tasks of each stage",
        STATUS_COLUMNS,
        rows,
        dispensable=("unchanged", "rows written"),
        prose=["reason"],
    )


def _unfinished(run: RunStatus) -> Iterator[Table]:
    """Show the tasks of all organisations together, by stage, where some are not done."""
    stages: dict[str, list[StageStatus]] = defaultdict(list)
    for job in run.jobs:
        for stage in job.stages:
            stages[stage.stage].append(stage)
    rows = [
        (name, *_tasks(stages[name]))
        for name in sorted(stages, key=lambda name: stages[name][0].phase)
        if any(stage.done < stage.tasks for stage in stages[name])
    ]
    if rows:
        yield Table("Stages that are not done", ("stage", "done", "running", "waiting", "failed"), rows)


def _tasks(stages: Sequence[StageStatus]) -> tuple[int, int | str, int, int]:
    """Return the numbers of tasks that are done, running (with those that stalled), waiting and failed."""
    done, claimed, stalled, waiting, failed = (
        sum(getattr(stage, name) for stage in stages)
        for name in ("done", "claimed", "stalled", "waiting", "failed")
    )
    return done, f"{claimed} + {stalled} stalled" if stalled else claimed, waiting, failed


def _failures(jobs: Sequence[JobStatus]) -> Iterator[Table | str]:
    """Show why organisations are not done, the most frequent reason first."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        if job.state not in ("running", "finished"):
            by_reason[job.reason or job.state].append(job.organisation)
    if not by_reason:
        return
    reasons = sorted(by_reason, key=lambda reason: -len(by_reason[reason]))
    rows = [(_names(by_reason[reason]), reason) for reason in reasons[:REASONS]]
    if more := sum(len(by_reason[reason]) for reason in reasons[REASONS:]):
        rows.append((counted(more, "more organisation"), "for other reasons"))
    yield Table("Not done", ("organisations", "why"), rows, prose=["why", "organisations"])


def _slowest(jobs: Sequence[JobStatus]) -> Table:
    rows = [
        (job.organisation, job.state, job.rows_written, job.rows_unchanged, job.seconds)
        for job in sorted(jobs, key=lambda job: -job.seconds)[:SLOWEST]
    ]
    columns = ("organisation", "state", "rows written", "unchanged", "seconds")
    return Table("Slowest, by the time of their tasks", columns, rows, dispensable=("unchanged",))


def _names(slugs: Sequence[str]) -> str:
    more = len(slugs) - NAMED
    return ", ".join(slugs[:NAMED]) + (f" and {more} more" if more > 0 else "")


def runs(found: Sequence[RunSummary]) -> View:
    """List runs, the latest first."""
    rows = [
        (
            run.run,
            f"{run.started_at:%Y-%m-%d %H:%M}",
            run.state,
            run.organisations,
            run.finished,
            run.rows_written,
            run.rows_unchanged,
            run.seconds,
        )
        for run in found
    ]
    title = f"{counted(len(found), 'run')}, the latest first"
    dispensable = ("unchanged", "seconds", "finished", "began")
    table = Table(title, RUN_COLUMNS, rows, dispensable=dispensable)
    return View(objects.runs(found), [table])


def cancelled(organisations: Sequence[str], run: RunStatus, teams: Mapping[str, str]) -> View:
    """Show which organisations were cancelled, and the number of tasks left for each.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    left = {
        job.organisation: sum(stage.waiting + stage.failed for stage in job.stages)
        for job in run.jobs
        if job.organisation in organisations
    }
    lines = [
        f"cancelled {slug}: {count} tasks of its current phase are left, and all later phases"
        for slug, count in left.items()
    ]
    if left:
        lines += ["next: resume it with", f"  {PROGRAM} retry {run.run}"]
    else:
        lines.append(f"nothing to cancel: run {run.run} is {run.state}")
    return View(objects.cancelled(run.run, left, teams), lines)
