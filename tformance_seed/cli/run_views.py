"""Show runs as tables and JSON: previews, progress and outcomes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tformance_seed.bulk import Result
from tformance_seed.catalog.profile import describe_shift
from tformance_seed.cli.blocks import Line, Table, View, rate
from tformance_seed.cli.hints import PROGRAM
from tformance_seed.cli.objects import runs as objects
from tformance_seed.commands.access import Login
from tformance_seed.commands.preview import Preview
from tformance_seed.commands.seed import Outcome, Report
from tformance_seed.ledger import SummaryCosts

PREVIEW_COLUMNS = (
    "organisation",
    "from",
    "to",
    "members",
    "pull requests",
    "AI usage rows, about",
    "what would happen",
)
WORK_COLUMNS = ("rows written", "unchanged", "seconds")

#: The shortest time, in seconds, that a run is assumed to have taken, so that rates are finite.
MIN_SECONDS = 0.1


def dry_run(previews: Sequence[Preview]) -> View:
    """Show what a run would do."""
    rows = [
        (p.organisation, p.since, p.until, p.members, p.pull_requests, p.ai_usage_rows, p.action)
        for p in previews
    ]
    return View(
        objects.dry_run(previews),
        [
            Table(
                "Dry run: nothing is written",
                PREVIEW_COLUMNS,
                rows,
                dispensable=("AI usage rows, about", "members", "from", "to"),
                prose=["what would happen"],
            ),
            *_remarks(previews),
        ],
    )


def detached(begun: Outcome) -> View:
    """Show the name of a run that workers continue."""
    name = begun.run
    return View(
        objects.seeded(begun, {}, detached=True),
        [
            name,
            "next: follow its progress with",
            f"  {PROGRAM} status {name} --watch",
            *_login_lines(begun.login),
        ],
    )


def outcome(outcome: Outcome, *, verbose: bool) -> View:
    """Summarise a finished run, and suggest the next command.

    Parameters:
      verbose: whether to show every table of every organisation.
    """
    totals = _add_up(outcome.reports)
    blocks: list[Table | Line | str] = []
    if len(outcome.reports) > 1:
        if verbose:
            blocks += [_tables_table(each.organisation, each.tables) for each in outcome.reports]
            blocks.append(_tables_table(f"All {len(outcome.reports)} organisations", totals))
        blocks += [_organisations_table(outcome), *_actions(outcome.reports), _total_line(outcome, totals)]
    else:
        blocks += [_tables_table(f"Run {outcome.run}", totals), *map(_report_line, outcome.reports)]
    if len(outcome.failures) > 1:
        failed = Table("Not done", ("organisation", "why"), list(outcome.failures.items()), prose=["why"])
        blocks += ["", failed]
    blocks += _remarks(outcome.reports)
    blocks += [_costs_line(each.organisation, each.summaries) for each in outcome.reports if each.summaries]
    if outcome.reports:
        # verify without names takes all of the database, which is where many organisations went
        named = f" {outcome.reports[0].organisation}" if len(outcome.reports) == 1 else ""
        blocks += ["", "next: check the data and see its digest with", f"  {PROGRAM} verify{named}"]
        blocks += _login_lines(outcome.login)
    return View(objects.seeded(outcome, totals), blocks)


def _tables_table(title: str, results: Mapping[str, Result]) -> Table:
    rows = [(name, result.written, result.unchanged, result.seconds) for name, result in results.items()]
    return Table(title, ("table", *WORK_COLUMNS), rows, dispensable=("seconds", "unchanged"))


def _organisations_table(outcome: Outcome) -> Table:
    """Show what each organisation took, the slowest first, and all of them together."""
    rows: list[tuple[Any, ...]] = []
    for report in sorted(outcome.reports, key=lambda report: -report.seconds):
        work = sum(report.tables.values(), Result())
        size = (report.since, report.until, report.members, report.pull_requests)
        rows.append((report.organisation, *size, work.written, work.unchanged, report.seconds))
    sums = [sum(column) for column in list(zip(*rows, strict=True))[3:]]
    return Table(
        f"Run {outcome.run}, the slowest first",
        ("organisation", "from", "to", "members", "pull requests", *WORK_COLUMNS),
        [*rows, ("total", "", "", *sums)],
        dispensable=("from", "to", "members", "pull requests", "unchanged"),
    )


def _actions(reports: Sequence[Report]) -> Iterator[str]:
    """Say which organisations were not simply seeded."""
    for verb in ("resumed", "started over"):
        if slugs := [report.organisation for report in reports if _verb(report) == verb]:
            yield f"{verb}: {', '.join(slugs)}"


def _total_line(outcome: Outcome, totals: Mapping[str, Result]) -> Line:
    work = sum(totals.values(), Result())
    per_second = work.written / max(outcome.seconds, MIN_SECONDS)
    return Line(
        label=f"{work.written:,} rows written",
        text=f", {work.unchanged:,} unchanged, {len(outcome.reports)} organisations, in "
        f"{outcome.seconds:.1f} s{rate(work.written, per_second)}",
    )


def _remarks(results: Sequence[Preview | Report]) -> list[str]:
    """Say which organisations' histories were moved, and how pull requests were recognised in each."""
    shifts = [
        describe_shift(each.organisation, each.since, each.until, each.shift_weeks)
        for each in results
        if each.shift_weeks
    ]
    return shifts + [
        f"pull requests of {repository} by: "
        + ", ".join(f"{name} ({count:,})" for name, count in found.items())
        if found
        else f"no commit of {repository} in the window lands a pull request: all are direct commits"
        for each in results
        for repository, found in each.conventions.items()
    ]


def _login_lines(login: Login | None) -> list[str]:
    """Say how to log in to the application; only the default password is shown, which is no secret."""
    if login is None:
        return []
    if login.password is not None:
        how = f"password {login.password}"
    elif login.is_known:
        how = "with the password that you gave"
    else:
        how = "who was there already and keeps their own password"
    return [f"open it in the application: {login.address}", f"  as {login.email}, {how}"]


def _verb(report: Report) -> str:
    return "resumed" if report.resumed else "started over" if report.started_over else "seeded"


def _report_line(report: Report) -> Line:
    return Line(
        label=f"{_verb(report)} {report.organisation}",
        text=f": {report.members:,} members, {report.pull_requests:,} pull requests, "
        f"{report.since} to {report.until}, in {report.seconds:.1f} s",
    )


def _costs_line(organisation: str, costs: SummaryCosts) -> str:
    """Say what a language model was asked about an organisation, and how many summaries are not its own."""
    reasons = {
        "invalid": costs.invalid,
        "rejected": costs.rejected,
        "unanswered": costs.unanswered,
        "over the budget": costs.over_budget,
    }
    generated = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
    return (
        f"summaries of {organisation}: {costs.written:,} written by {costs.model}, with {costs.requests:,} "
        f"requests and {costs.prompt_tokens + costs.completion_tokens:,} tokens"
        + (f"; generated instead: {generated}" if generated else "")
    )


def _add_up(reports: Sequence[Report]) -> dict[str, Result]:
    """Add up the row counts of all organisations by table."""
    totals: dict[str, Result] = {}
    for report in reports:
        for name, result in report.tables.items():
            totals[name] = totals.get(name, Result()) + result
    return totals
