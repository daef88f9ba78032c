"""The objects of the commands that seed, and of those for a run."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, cast

from tformance_seed.cli.objects.shared import Slug, TableRows, TeamSlug, table_rows

if TYPE_CHECKING:
    from tformance_seed.bulk import Result
    from tformance_seed.commands.access import Login as GivenLogin
    from tformance_seed.commands.preview import Preview
    from tformance_seed.commands.seed import Outcome, Report
    from tformance_seed.execution.supervisor import WorkerGroup as Group
    from tformance_seed.ledger import JobStatus, RunStatus, RunSummary, SummaryCosts

RunName = Annotated[str, "name of the run"]
RowsWritten = Annotated[int, "rows inserted or changed"]
RowsUnchanged = Annotated[int, "rows that were the same already"]
Since = Annotated[datetime.date, "first day of its window"]
Until = Annotated[datetime.date, "last day of its window"]
ShiftWeeks = Annotated[int, "weeks by which `--shift-to` moves its history; 0 without"]
Members = Annotated[int, "people"]
PullRequests = Annotated[int, "pull requests in the window"]


class Convention(TypedDict):
    """How many pull requests a convention found."""

    convention: Annotated[str, "name of the [convention](git.md#pull-requests)"]
    pull_requests: Annotated[int, "pull requests that it found"]


class RepositoryConventions(TypedDict):
    """What was found in a clone."""

    repository: Annotated[str, "repository of a clone"]
    conventions: Annotated[
        list[Convention], "by which its pull requests were found; none: all are direct commits"
    ]


class Summaries(TypedDict):
    """What a language model was asked."""

    model: Annotated[str, "name of the model"]
    requests: Annotated[int, "requests that this run sent"]
    prompt_tokens: Annotated[int, "tokens in them"]
    completion_tokens: Annotated[int, "tokens in its answers"]
    written: Annotated[int, "summaries that it wrote"]
    invalid: Annotated[int, "summaries generated instead, since two answers were not valid"]
    rejected: Annotated[int, "the same, since the server did not accept the request"]
    unanswered: Annotated[int, "the same, since no answer came"]
    over_budget: Annotated[int, "the same, since `--max-tokens` were spent"]


class SeededOrganisation(TypedDict):
    """What was done for an organisation."""

    organisation: Slug
    team: TeamSlug
    since: Since
    until: Until
    shift_weeks: ShiftWeeks
    members: Members
    pull_requests: PullRequests
    started_over: Annotated[bool, "whether it was removed and seeded again, since its inputs had changed"]
    resumed: Annotated[bool, "whether an unfinished run was resumed"]
    seconds: Annotated[float, "time of its own tasks, added up, without the time that they waited"]
    repositories: Annotated[list[RepositoryConventions], "its clones; empty for other sources"]
    tables: Annotated[list[TableRows], "what was written, by table"]
    summaries: Annotated[
        Summaries | None, "what a language model was asked; null unless one writes the summaries"
    ]


class FailedOrganisation(TypedDict):
    """Why an organisation is not done."""

    organisation: Slug
    team: TeamSlug
    reason: Annotated[str, "why it was not seeded"]


class Login(TypedDict):
    """How to open the teams in the application."""

    address: Annotated[str, "address of the login page"]
    email: Annotated[str, "the user's address"]
    password: Annotated[str | None, "the password; null unless it is the default one"]
    created: Annotated[bool, "whether the user was made by this run"]


class Seeded(TypedDict):
    """What a run did."""

    run: RunName
    seconds: Annotated[float, "time from the beginning of the run to its end; 0 with `--detach`"]
    detached: Annotated[bool, "whether the command did not wait for the end of the run (`--detach`)"]
    organisations: Annotated[list[SeededOrganisation], "organisations that are done; none with `--detach`"]
    failures: Annotated[list[FailedOrganisation], "organisations that are not done"]
    tables: Annotated[list[TableRows], "what was written for all organisations, by table"]
    login: Annotated[Login | None, "how to log in; null where there is nothing to log in to"]
    notes: Annotated[list[str], "remarks, which are warnings on standard error too"]


class PlannedOrganisation(TypedDict):
    """What would be done for an organisation."""

    organisation: Slug
    team: TeamSlug
    since: Since
    until: Until
    shift_weeks: ShiftWeeks
    members: Members
    pull_requests: PullRequests
    ai_usage_rows: Annotated[int, "about how many rows of daily AI usage"]
    repositories: Annotated[list[RepositoryConventions], "its clones; empty for other sources"]
    action: Annotated[str, "what would happen to the organisation, in words"]


class DryRun(TypedDict):
    """What a run would do."""

    dry_run: Annotated[Literal[True], "tells it from what `seed` prints otherwise"]
    organisations: Annotated[list[PlannedOrganisation], "organisations that would be seeded"]


class Stage(TypedDict):
    """The tasks of one kind."""

    stage: Annotated[str, "kind of task, such as `pull_requests`"]
    phase: Annotated[int, "its phase"]
    done: Annotated[int, "tasks that are done"]
    claimed: Annotated[int, "tasks that a worker is running"]
    stalled: Annotated[int, "tasks that a worker claimed and does not report on any more"]
    waiting: Annotated[int, "tasks that no worker has claimed yet"]
    failed: Annotated[int, "tasks that failed for good"]
    items: Annotated[int, "members, pull requests and the like in all of the stage's tasks"]
    items_done: Annotated[int, "of these, those of tasks that are done"]


State = Literal["running", "finished", "failed", "cancelled", "superseded"]


class RunningOrganisation(TypedDict):
    """How far an organisation got."""

    organisation: Slug
    team: TeamSlug
    state: Annotated[State, "its state"]
    phase: Annotated[int, "the phase that it is in, from 0; tasks of one phase run in any order"]
    rows_written: RowsWritten
    rows_unchanged: RowsUnchanged
    seconds: Annotated[float, "time that its tasks took so far, added up"]
    reason: Annotated[str, "why it failed; empty otherwise"]
    stages: Annotated[list[Stage], "its tasks, by kind"]


class Status(TypedDict):
    """How far a run got."""

    run: RunName
    state: Annotated[State, "the worst state of its organisations"]
    seconds: Annotated[float, "time since it began, or that it took"]
    seconds_left: Annotated[float | None, "estimate of the time left; null if there is none"]
    silent_seconds: Annotated[
        float | None, "time since a task was last claimed or ended; null once the run has ended"
    ]
    rows_written: RowsWritten
    rows_unchanged: RowsUnchanged
    rows_per_second: Annotated[float, "rows inserted or changed in each second"]
    activity_counter: Annotated[int, "grows whenever a task is started or ended"]
    organisations: Annotated[list[RunningOrganisation], "organisations of the run"]


class Run(TypedDict):
    """A run in the list."""

    run: RunName
    started_at: Annotated[datetime.datetime, "when it began"]
    state: Annotated[State, "the worst state of its organisations"]
    organisations: Annotated[int, "organisations of the run"]
    finished: Annotated[int, "of these, those that are finished"]
    rows_written: RowsWritten
    rows_unchanged: RowsUnchanged
    seconds: Annotated[float, "time that its tasks took, added up"]


class Runs(TypedDict):
    """The runs that a database knows."""

    runs: Annotated[list[Run], "runs, the latest first"]


class CancelledOrganisation(TypedDict):
    """What is left of an organisation."""

    organisation: Slug
    team: TeamSlug
    tasks_left: Annotated[int, "tasks left of its current phase; all later phases are left too"]


class Cancelled(TypedDict):
    """What was cancelled."""

    run: RunName
    organisations: Annotated[list[CancelledOrganisation], "organisations that were cancelled"]


class WorkerGroup(TypedDict):
    """Processes of one kind."""

    queues: Annotated[list[str], "queues that each serves"]
    processes: Annotated[int, "number of processes"]
    threads: Annotated[int, "threads in each"]


class Workers(TypedDict):
    """What is started."""

    broker: Annotated[str, "where the broker is, without password"]
    workers: Annotated[list[WorkerGroup], "processes that are kept running"]


def seeded(outcome: "Outcome", totals: "Mapping[str, Result]", *, detached: bool = False) -> Seeded:
    """Return the object for a run.

    Parameters:
      totals: what was written for all organisations, by table.
    """
    teams = outcome.teams
    return {
        "run": outcome.run,
        "seconds": round(outcome.seconds, 3),
        "detached": detached,
        "organisations": [_seeded_organisation(report, teams) for report in outcome.reports],
        "failures": [
            {"organisation": slug, "team": teams.get(slug), "reason": reason}
            for slug, reason in outcome.failures.items()
        ],
        "tables": table_rows(totals),
        "login": _login(outcome.login),
        "notes": outcome.notes,
    }


def _seeded_organisation(report: "Report", teams: Mapping[str, str]) -> SeededOrganisation:
    return {
        "organisation": report.organisation,
        "team": teams.get(report.organisation),
        "since": report.since,
        "until": report.until,
        "shift_weeks": report.shift_weeks,
        "members": report.members,
        "pull_requests": report.pull_requests,
        "started_over": report.started_over,
        "resumed": report.resumed,
        "seconds": round(report.seconds, 3),
        "repositories": _repositories(report.conventions),
        "tables": table_rows(report.tables),
        "summaries": _summaries(report.summaries),
    }


def _repositories(found: Mapping[str, Mapping[str, int]]) -> list[RepositoryConventions]:
    return [
        {
            "repository": repository,
            "conventions": [{"convention": name, "pull_requests": count} for name, count in counts.items()],
        }
        for repository, counts in found.items()
    ]


def _summaries(costs: "SummaryCosts | None") -> Summaries | None:
    return None if costs is None else cast("Summaries", dataclasses.asdict(costs))


def _login(login: "GivenLogin | None") -> Login | None:
    if login is None:
        return None
    return {
        "address": login.address,
        "email": login.email,
        "password": login.password,
        "created": login.created,
    }


def dry_run(previews: "Sequence[Preview]") -> DryRun:
    """Return the object for what a run would do."""
    return {
        "dry_run": True,
        "organisations": [
            {
                "organisation": each.organisation,
                "team": each.team,
                "since": each.since,
                "until": each.until,
                "shift_weeks": each.shift_weeks,
                "members": each.members,
                "pull_requests": each.pull_requests,
                "ai_usage_rows": each.ai_usage_rows,
                "repositories": _repositories(each.conventions),
                "action": each.action,
            }
            for each in previews
        ],
    }


def status(run: "RunStatus", teams: Mapping[str, str]) -> Status:
    """Return the object for the state of a run.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    return {
        "run": run.run,
        "state": cast("State", run.state),
        "seconds": run.seconds,
        "seconds_left": run.seconds_left,
        "silent_seconds": run.silent_seconds,
        "rows_written": run.rows_written,
        "rows_unchanged": run.rows_unchanged,
        "rows_per_second": run.rows_per_second,
        "activity_counter": run.activity_counter,
        "organisations": [_running_organisation(job, teams) for job in run.jobs],
    }


def _running_organisation(job: "JobStatus", teams: Mapping[str, str]) -> RunningOrganisation:
    return {
        "organisation": job.organisation,
        "team": teams.get(job.organisation),
        "state": cast("State", job.state),
        "phase": job.phase,
        "rows_written": job.rows_written,
        "rows_unchanged": job.rows_unchanged,
        "seconds": job.seconds,
        "reason": job.reason,
        "stages": [cast("Stage", dataclasses.asdict(stage)) for stage in job.stages],
    }


def runs(found: "Sequence[RunSummary]") -> Runs:
    """Return the object for the list of runs."""
    return {"runs": [cast("Run", dataclasses.asdict(run)) for run in found]}


def cancelled(run: str, tasks_left: Mapping[str, int], teams: Mapping[str, str]) -> Cancelled:
    """Return the object for what was cancelled.

    Parameters:
      tasks_left: slug of an organisation -> tasks left of its current phase.
      teams: slug of an organisation -> slug of its team.
    """
    return {
        "run": run,
        "organisations": [
            {"organisation": slug, "team": teams.get(slug), "tasks_left": count}
            for slug, count in tasks_left.items()
        ],
    }


def workers(broker: str, groups: "Sequence[Group]") -> Workers:
    """Return the object for workers.

    Parameters:
      broker: where the broker is, without password.
    """
    return {
        "broker": broker,
        "workers": [
            {"queues": list(group.queues), "processes": group.processes, "threads": group.threads}
            for group in groups
        ],
    }
