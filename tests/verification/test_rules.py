from collections.abc import Callable
from pathlib import Path
from typing import Any

import peewee
import pytest

from tests.support.databases import connect
from tests.support.teams import Coherent, add_team
from tests.verification.corruptions import CORRUPTIONS, STALE, illegal_choice
from tests.verification.rows import change, one
from tformance_seed.storage.models import AIUsageDaily, JiraIssue, PRFile, PullRequest, Team, TeamMember
from tformance_seed.storage.schema.create import create_missing
from tformance_seed.verification import Violation, check
from tformance_seed.verification.rules import RULES


def cases(table: dict[str, list[Callable[[Coherent], str]]]) -> list[Any]:
    return [
        pytest.param(name, way, id=f"{name}-{way.__name__}") for name, ways in table.items() for way in ways
    ]


def test_a_coherent_team_breaks_no_rule(coherent: Coherent) -> None:
    assert check(coherent.database, coherent.team.id) == []


def test_every_rule_is_broken_in_a_test() -> None:
    assert {*CORRUPTIONS, *STALE, "json"} == RULES.keys()


def test_text_that_is_not_json_is_found_where_the_database_accepts_it(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/test.db")
    create_missing(database)
    team = Coherent(database)
    table = change(one(PullRequest, 1), labels=peewee.Value("[", converter=False))
    assert_only(team, "json", table)
    database.close()


@pytest.mark.parametrize(("name", "corrupt"), cases(CORRUPTIONS))
def test_a_broken_rule_is_found_and_no_other(
    coherent: Coherent, name: str, corrupt: Callable[[Coherent], str]
) -> None:
    table = corrupt(coherent)
    coherent.compute()
    assert_only(coherent, name, table)


@pytest.mark.parametrize(("name", "corrupt"), cases(STALE))
def test_a_stale_aggregate_is_found(
    coherent: Coherent, name: str, corrupt: Callable[[Coherent], str]
) -> None:
    assert_only(coherent, name, corrupt(coherent))


def assert_only(team: Coherent, name: str, table: str) -> None:
    violations = check(team.database, team.team.id)
    assert [one.name for one in violations] == [name]
    (violation,) = violations
    assert (violation.name, violation.table) == (name, table)
    assert violation.count >= 1
    assert violation.meaning == RULES[name].meaning


def test_a_violation_counts_its_rows_and_names_one(coherent: Coherent) -> None:
    for number in (1, 2, 4):
        change(one(PRFile, number), status="copied")
    assert check(coherent.database, coherent.team.id) == [
        Violation(
            "choices",
            "metrics_prfile",
            3,
            "4 acme/api src/1.py",
            "every value is among the choices of its column",
        )
    ]


def test_another_team_is_not_checked(coherent: Coherent) -> None:
    other = Coherent(coherent.database, "other")
    illegal_choice(coherent)
    assert check(coherent.database, other.team.id) == []


def test_a_team_without_issues_or_usage_need_not_have_them(coherent: Coherent) -> None:
    JiraIssue.delete().execute()
    AIUsageDaily.delete().execute()
    coherent.compute()
    assert check(coherent.database, coherent.team.id) == []


def test_an_empty_team_breaks_no_rule(database: peewee.Database) -> None:
    assert check(database, add_team("acme").id) == []


def test_a_member_is_named_by_one_of_its_keys(coherent: Coherent) -> None:
    change(one(TeamMember), role="boss")
    (violation,) = check(coherent.database, coherent.team.id)
    assert violation.example == "100"
    change(one(TeamMember), github_id="")
    (violation,) = check(coherent.database, coherent.team.id)
    assert violation.example == "0@example.com"
    change(one(TeamMember), role="lead")
    change(Team.get_by_id(coherent.team.id), copilot_status="broken")
    (violation,) = check(coherent.database, coherent.team.id)
    assert violation.example == "acme"
