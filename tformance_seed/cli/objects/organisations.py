"""The objects of the commands for organisations and their tables."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, cast

from tformance_seed.cli.objects.shared import RemovedRows, Slug, TeamSlug, removed_rows

if TYPE_CHECKING:
    from tformance_seed.bulk import Result
    from tformance_seed.catalog.organisations import Organisation
    from tformance_seed.catalog.scenarios import Scenario as CatalogueScenario
    from tformance_seed.commands.maintain import Verified as VerifiedTeam
    from tformance_seed.commands.week import ShownPullRequest
    from tformance_seed.ledger import Removal

FutureTeam = Annotated[str, "slug of its team in the application"]


class Language(TypedDict):
    """A language's share in a repository."""

    language: Annotated[str, "name of the language"]
    percent: Annotated[float, "per cent of the repository's code"]


class Repository(TypedDict):
    """A repository of the catalogue."""

    repository: Annotated[str, "`owner/name`"]
    languages: Annotated[list[Language], "its languages; empty if the catalogue says nothing"]


class Expected(TypedDict):
    """About how many rows a window gives."""

    members: Annotated[int, "people"]
    pull_requests: Annotated[int, "about how many pull requests"]
    commits: Annotated[int, "about how many commits"]
    files: Annotated[int, "about how many changed files"]
    ai_usage_rows: Annotated[int, "about how many rows of daily AI usage"]


class CatalogueOrganisation(TypedDict):
    """An organisation of the [catalogue](catalogue.md)."""

    organisation: Slug
    team: FutureTeam
    name: Annotated[str, "this and the following: as in the [catalogue](catalogue.md)"]
    repositories: Annotated[list[Repository], "repositories"]
    industry: Annotated[str, "industry"]
    jira_project_key: Annotated[str, "project of its Jira issues"]
    ai_adoption_rate: Annotated[float, "share of members who use AI tools"]
    survey_response_rate: Annotated[float, "share of authors who answer surveys"]
    members: Annotated[int, "people"]
    prs_per_year: Annotated[int, "pull requests of a year"]
    ai_pr_share: Annotated[
        float | None, "share of pull requests in which AI is found; null: the published share"
    ]
    cycle_hours: Annotated[float | None, "mean hours from creation to merge; null: the published mean"]
    expected: Annotated[Expected, "what a window of `days` days gives"]


class Scenario(TypedDict):
    """A scenario."""

    scenario: Annotated[str, "name of the scenario"]
    team: Annotated[str, "slug of the team in the application"]
    point: Annotated[str, "what it shows"]


class Catalogue(TypedDict):
    """What can be seeded by name."""

    days: Annotated[int, "the window of what is expected"]
    organisations: Annotated[list[CatalogueOrganisation], "organisations of the catalogue"]
    scenarios: Annotated[list[Scenario], "scenarios"]


class ChangedFile(TypedDict):
    """A file that a pull request changes."""

    filename: Annotated[str, "path"]
    status: Annotated[Literal["added", "modified", "removed", "renamed"], "what happened to it"]
    additions: Annotated[int, "lines added"]
    deletions: Annotated[int, "lines removed"]


class PullRequest(TypedDict):
    """A pull request as people see it."""

    ended_at: Annotated[
        datetime.datetime,
        "when it was merged or closed, in UTC; of an open one, the last thing that happened",
    ]
    repository: Annotated[str, "`owner/name`"]
    number: Annotated[int, "number"]
    state: Annotated[Literal["merged", "closed", "open"], "state"]
    author: Annotated[str, "login; `bot` for bots"]
    title: Annotated[str, "title"]
    body: Annotated[str, "body"]
    additions: Annotated[int, "lines added"]
    deletions: Annotated[int, "lines removed"]
    files: Annotated[list[ChangedFile], "files that it changes"]
    commits: Annotated[list[str], "first lines of the messages of its commits, oldest first"]


class Week(TypedDict):
    """A week of an organisation."""

    organisation: Slug
    week: Annotated[datetime.date, "its Monday"]
    pull_requests: Annotated[list[PullRequest], "pull requests that ended in it, oldest first"]


class CreatedTable(TypedDict):
    """A table that was created."""

    table: Annotated[str, "name of the table"]


class Created(TypedDict):
    """What was created."""

    tables: Annotated[list[CreatedTable], "tables that were missing; empty if none was"]


class WeeklyOrganisation(TypedDict):
    """An organisation's weekly metrics."""

    organisation: Slug
    team: TeamSlug
    rows_written: Annotated[int, "weekly rows inserted, changed or removed"]
    rows_unchanged: Annotated[int, "weekly rows that were the same already"]
    seconds: Annotated[float, "time taken"]


class Weekly(TypedDict):
    """What became of weekly metrics."""

    organisations: Annotated[list[WeeklyOrganisation], "organisations whose weekly metrics were computed"]


class TableDigest(TypedDict):
    """The content of a table."""

    table: Annotated[str, "name of the table"]
    rows: Annotated[int, "the organisation's rows in it"]
    digest: Annotated[str, "digest of these rows"]


class Violation(TypedDict):
    """An invariant that does not hold."""

    name: Annotated[str, "name of the invariant"]
    table: Annotated[str, "the table"]
    count: Annotated[int, "rows that violate it"]
    example: Annotated[str, "natural key of one of them"]
    meaning: Annotated[str, "the invariant as a sentence"]


class VerifiedOrganisation(TypedDict):
    """Whether an organisation's data is consistent."""

    organisation: Slug
    team: TeamSlug
    digest: Annotated[str, "digest of the organisation's content; empty if it has no team yet"]
    tables: Annotated[list[TableDigest], "its tables"]
    violations: Annotated[list[Violation], "invariants that are violated; empty if all hold"]
    unfinished: Annotated[bool, "whether its last run has not finished, so that rows may be missing"]
    model_summaries: Annotated[
        int,
        "summaries that a language model wrote; if there are any, the digest leaves out summaries and what "
        "follows from them",
    ]


class Verified(TypedDict):
    """What was verified."""

    organisations: Annotated[list[VerifiedOrganisation], "organisations that were verified"]


class ClearedOrganisation(TypedDict):
    """What was removed of an organisation."""

    organisation: Slug
    team: TeamSlug
    tables: Annotated[list[RemovedRows], "what was removed and what stays, by table"]


class Cleared(TypedDict):
    """What was removed."""

    organisations: Annotated[list[ClearedOrganisation], "organisations of which there was something"]


def catalogue(
    organisations: "Mapping[str, Organisation]", scenarios: "Mapping[str, CatalogueScenario]", days: int
) -> Catalogue:
    """Return the object for the catalogue."""
    return {
        "days": days,
        "organisations": [_catalogue_organisation(each, days) for each in organisations.values()],
        "scenarios": [
            {"scenario": name, "team": scenario.team_slug or name, "point": scenario.point}
            for name, scenario in scenarios.items()
        ],
    }


def _catalogue_organisation(item: "Organisation", days: int) -> CatalogueOrganisation:
    counts = item.expected_rows(days)
    languages = item.languages or ({},) * len(item.repos)
    return {
        "organisation": item.slug,
        "team": item.team_slug or item.slug,
        "name": item.name,
        "repositories": [
            {
                "repository": repository,
                "languages": [{"language": name, "percent": share} for name, share in shares.items()],
            }
            for repository, shares in zip(item.repos, languages, strict=True)
        ],
        "industry": item.industry,
        "jira_project_key": item.jira_project_key,
        "ai_adoption_rate": item.ai_adoption_rate,
        "survey_response_rate": item.survey_response_rate,
        "members": item.members,
        "prs_per_year": item.prs_per_year,
        "ai_pr_share": item.ai_pr_share,
        "cycle_hours": item.cycle_hours,
        "expected": {
            "members": counts["members"],
            "pull_requests": counts["pull requests"],
            "commits": counts["commits"],
            "files": counts["files"],
            "ai_usage_rows": counts["AI usage"],
        },
    }


def week(organisation: str, monday: datetime.date, shown: "Sequence[ShownPullRequest]") -> Week:
    """Return the object for a week of an organisation."""
    pull_requests = [cast("PullRequest", dataclasses.asdict(each)) for each in shown]
    return {"organisation": organisation, "week": monday, "pull_requests": pull_requests}


def created(tables: Sequence[str]) -> Created:
    """Return the object for tables that were created."""
    return {"tables": [{"table": table} for table in tables]}


def weekly(results: "Mapping[str, Result]", teams: Mapping[str, str]) -> Weekly:
    """Return the object for weekly metrics that were computed.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    return {
        "organisations": [
            {
                "organisation": slug,
                "team": teams.get(slug),
                "rows_written": result.written,
                "rows_unchanged": result.unchanged,
                "seconds": round(result.seconds, 3),
            }
            for slug, result in results.items()
        ]
    }


def verified(reports: "Sequence[VerifiedTeam]", teams: Mapping[str, str]) -> Verified:
    """Return the object for organisations that were verified.

    Parameters:
      teams: slug of an organisation -> slug of its team.
    """
    return {
        "organisations": [
            {
                "organisation": report.organisation,
                "team": teams.get(report.organisation),
                "digest": report.digest,
                "tables": [{"table": name, **content} for name, content in report.tables.items()],
                "violations": [cast("Violation", dataclasses.asdict(each)) for each in report.violations],
                "unfinished": report.unfinished,
                "model_summaries": report.model_summaries,
            }
            for report in reports
        ]
    }


def cleared(removed: "Mapping[str, Removal]", teams: Mapping[str, str]) -> Cleared:
    """Return the object for what was removed.

    Parameters:
      teams: slug of an organisation -> slug of the team that it had.
    """
    return {
        "organisations": [
            {"organisation": slug, "team": teams.get(slug), "tables": removed_rows(removal)}
            for slug, removal in removed.items()
        ]
    }
