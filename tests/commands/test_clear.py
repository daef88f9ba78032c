"""Clearing and starting over when people have used the application: their rows stay unless they are named."""

import uuid

import pytest

from tests.support.access import (
    add_membership,
    add_user,
    create_access_tables,
    create_peoples_tables,
    insert,
    rows,
)
from tests.support.commands import command
from tests.support.databases import connect
from tests.support.seeds import ORGANISATION, TEAM, content, seed
from tests.support.teams import add
from tests.support.workers import run_json
from tformance_seed import verification
from tformance_seed.storage.models import (
    APPLICATION,
    DailyInsight,
    PRFile,
    PRSurvey,
    PullRequest,
    SeedTeam,
    Team,
    TeamMember,
)


class Used:
    """A seeded team that people have used."""

    def __init__(self, database):
        self.database = database
        create_access_tables(database)
        create_peoples_tables(database)
        seed(database, prs=60)
        self.team = SeedTeam.get().team_id
        self.user = add_user(database)
        self.noted = PullRequest.select().order_by(PullRequest.id.desc()).first()

    def note(self):
        """Write a note to a pull request."""
        values = {"content": "why?", "pull_request_id": self.noted.id, "user_id": self.user}
        insert(self.database, "notes_prnote", **values)

    def join(self):
        """Become a member of the team."""
        add_membership(self.database, self.team, self.user)

    def add_member(self):
        """Add a person whose work is measured."""
        add(TeamMember, team=self.team, display_name="Eve", github_id="999", email="eve@example.com")


@pytest.fixture
def used(database):
    return Used(database)


@pytest.fixture
def clear(used, url):
    """Return a function that clears the team by the command line and returns the JSON."""

    def run(*options):
        result = run_json("clear", ORGANISATION, "--yes", *options, database=url)
        tables = [table for each in result["organisations"] for table in each["tables"]]
        deleted = {table["table"]: table["rows_removed"] for table in tables}
        return deleted, {table["table"]: table["rows_kept"] for table in tables if table["rows_kept"]}

    return run


def test_a_team_that_nobody_used_goes_completely(used, clear):
    deleted, kept = clear()
    assert kept == {}
    assert deleted["metrics_pullrequest"] == 60
    assert deleted["teams_team"] == 1
    assert [model for model in APPLICATION if model.select().count()] == []
    assert SeedTeam.select().count() == 0


def test_rows_of_others_are_counted_and_stay_with_what_they_hang_on(used, clear):
    used.note()
    used.join()
    used.add_member()
    deleted, kept = clear()
    assert kept == {"notes_prnote": 1, "teams_membership": 1, "metrics_teammember": 1}
    assert deleted["metrics_pullrequest"] == 59
    assert [pr.id for pr in PullRequest.select()] == [used.noted.id]
    assert {member.display_name for member in TeamMember.select()} >= {"Eve"}
    assert TeamMember.select().count() <= 2
    assert PRFile.select().count() == 0
    assert [team.slug for team in Team.select()] == [TEAM]
    assert verification.check(used.database, used.team) == []


def test_what_is_named_goes_too(used, clear):
    used.note()
    used.join()
    used.add_member()
    assert set(clear("--including", "notes")[1]) == {"teams_membership", "metrics_teammember"}
    assert PullRequest.select().count() == 0
    _, kept = clear("--including", "memberships,metrics_teammember")
    assert kept == {}
    assert Team.select().count() == SeedTeam.select().count() == 0
    assert len(rows(used.database, "users_customuser")) == 1


def test_rows_that_hang_on_rows_of_others_are_found(used, clear):
    profile = insert(used.database, "public_publicorgprofile", team_id=used.team)
    insert(used.database, "public_publicorgstats", org_profile_id=profile)
    assert clear()[1] == {"public_publicorgprofile": 1, "public_publicorgstats": 1}
    _, kept = clear("--including", "public_publicorgprofile")
    assert kept == {"public_publicorgprofile": 1, "public_publicorgstats": 1}
    deleted, kept = clear("--including", "profiles")
    assert kept == {}
    assert deleted["public_publicorgstats"] == deleted["teams_team"] == 1


def test_keys_of_any_kind_and_tables_that_nobody_knows_are_handled(used, clear):
    insert(used.database, "teams_invitation", id=str(uuid.uuid4()), email="x@y.example", team_id=used.team)
    survey = PRSurvey.get()
    insert(used.database, "somebody_elses", code="x", survey=survey.id)
    insert(used.database, "somebody_elses", code="x", survey=None)
    _, kept = clear()
    assert kept == {"teams_invitation": 1, "somebody_elses": 1}
    assert [row.id for row in PRSurvey.select()] == [survey.id]
    assert [row.id for row in PullRequest.select()] == [survey.pull_request_id]
    assert clear("--including", "somebody_elses,invitations")[1] == {}
    assert [row["survey"] for row in rows(used.database, "somebody_elses")] == [None]


@pytest.mark.parametrize("options", [{"seed": 7}, {"seed": 7, "prs": 3}, {"clear": True}])
def test_seeding_is_never_stuck_behind_rows_of_others(used, options):
    used.note()
    used.join()
    used.add_member()
    insight = DailyInsight.select().first()
    insert(used.database, "feedback_llmfeedback", daily_insight_id=insight.id, team_id=used.team)
    outcome = seed(used.database, **{"prs": 60, **options})
    assert outcome.failures == {}
    assert SeedTeam.get().team_id == used.team
    assert len(rows(used.database, "notes_prnote")) == 1
    assert len(rows(used.database, "teams_membership", user_id=used.user)) == 1
    assert TeamMember.select().where(TeamMember.display_name == "Eve").count() == 1
    assert verification.check(used.database, used.team) == []


def test_a_cleared_team_that_stayed_is_seeded_again(used, clear, tmp_path):
    used.join()
    clear()
    assert seed(used.database, prs=60).failures == {}
    other = connect(f"sqlite:///{tmp_path}/other.db")
    seed(other, prs=60)
    expected = content(other).digest
    other.close()
    assert verification.digest(used.database, used.team).digest == expected


def test_members_of_smaller_runs_are_not_taken_for_those_of_others(used, clear):
    seed(used.database, prs=60, members=3)
    seed(used.database, prs=60, members=5)
    assert clear()[1] == {}


def test_clearing_says_what_it_would_remove_and_what_would_stay(used, url):
    used.note()
    result = command("clear", ORGANISATION, "--database", url, answer="n\n")
    assert result.returncode == 1
    asked = result.stdout + result.stderr
    assert "metrics_pullrequest 59" in asked
    assert "rows of others stay, with the team: notes_prnote 1" in asked
    assert PullRequest.select().count() == 60


def test_clearing_what_is_not_there_removes_nothing(used, url):
    result = command("clear", "resend", "--yes", "--database", url)
    assert (result.returncode, result.stdout) == (0, "nothing to remove: nothing is seeded for resend\n")


def test_clearing_an_empty_database_removes_nothing(url):
    connect(url).close()
    result = command("clear", "resend", "--yes", "--database", url)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_unknown_table_is_refused(used, url):
    result = command("clear", ORGANISATION, "--including", "nots", "--yes", "--database", url)
    assert result.returncode == 2
    assert "--including nots: " in result.stderr
    assert PullRequest.select().count() == 60
