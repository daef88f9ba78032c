"""After seeding, somebody can log in to the application and open every page of the teams."""

import json

import pytest

import tformance_seed
from tests.support.access import add_membership, add_user, create_access_tables, rows
from tests.support.commands import command
from tests.support.databases import connect
from tests.support.seeds import ORGANISATION, TEAM, UNTIL, content, seed
from tests.support.servers import wait_until
from tests.support.teams import add_team
from tests.support.workers import run_json
from tformance_seed import ledger
from tformance_seed.commands import access, maintain
from tformance_seed.errors import InputError
from tformance_seed.settings import DEFAULT_LOGIN, DEFAULT_PASSWORD
from tformance_seed.storage.models import (
    Flag,
    FlagTeam,
    IntegrationCredential,
    JiraIntegration,
    Membership,
    SeedAccess,
    SeedJob,
    SeedRun,
    SeedTeam,
    Team,
    User,
)
from tformance_seed.storage.schema.create import create_missing

SECRET = "correct-horse-battery"

#: What the application computes for the password show_me with 1000 rounds.
EXAMPLE = "pbkdf2_sha256$1000$abcdefghijklmnop$fKQRUcrVMQxYlwNuljD0tsuSeeMRnvHpCyd2hn9wCJY="

CARD_FLAGS = {
    "copilot_enabled",
    "copilot_seat_utilization",
    "copilot_language_insights",
    "copilot_delivery_impact",
    "integration_copilot_enabled",
    "cicd_enabled",
}


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch):
    monkeypatch.setattr(access.hash_password, "__defaults__", (1_000,))


@pytest.fixture
def application(database):
    """A database with the application's tables for people."""
    create_access_tables(database)
    return database


def flags_of(team):
    links = FlagTeam.select(Flag.name).join(Flag).where(FlagTeam.team == team)
    return {name for (name,) in links.tuples()}


def test_a_password_is_stored_as_django_stores_it():
    assert access.encode_password("show_me", "abcdefghijklmnop", 1_000) == EXAMPLE
    assert access.has_password(EXAMPLE, "show_me")
    assert not access.has_password(EXAMPLE, "show_you")
    assert not access.has_password("!unusable", "show_me")


def test_a_demo_user_is_an_admin_of_every_team_that_was_made(application):
    outcome = seed(application, ORGANISATION, "resend")
    user = User.get()
    assert (user.username, user.email, user.is_active) == (DEFAULT_LOGIN, DEFAULT_LOGIN, True)
    assert (user.is_superuser, user.is_staff, user.last_login) == (False, False, None)
    assert access.has_password(user.password, DEFAULT_PASSWORD)
    memberships = {(each.team_id, each.user_id, each.role) for each in Membership.select()}
    assert memberships == {(team.id, user.id, "admin") for team in Team.select()}
    assert len(memberships) == 2
    assert outcome.login.email == DEFAULT_LOGIN
    assert outcome.login.password == DEFAULT_PASSWORD
    assert outcome.login.address == "http://127.0.0.1:8000/accounts/login/"
    assert outcome.notes == []


def test_teams_are_past_onboarding_and_have_the_flags_that_cards_need(application):
    seed(application)
    team = Team.get()
    assert (team.onboarding_complete, team.onboarding_pipeline_status) == (True, "complete")
    assert team.onboarding_pipeline_completed_at is not None
    assert flags_of(team.id) == CARD_FLAGS
    made = Flag.get(Flag.name == "cicd_enabled")
    assert (made.everyone, made.superusers, made.testing) == (None, False, False)
    assert IntegrationCredential.select().count() == JiraIntegration.select().count() == 0


def test_flags_that_the_migrations_would_have_made_are_made_where_they_are_missing(application, url):
    made = {flag.name: (flag.everyone, flag.superusers) for flag in Flag.select()}
    Flag.delete().execute()
    seed(application, integrations=["jira"])
    assert flags_of(Team.get().id) == CARD_FLAGS | {"integration_jira_enabled"}
    flags = {flag.name: (flag.everyone, flag.superusers) for flag in Flag.select()}
    copilot = {name for name in made if name.startswith("copilot")}
    assert {name: flags[name] for name in copilot} == {name: made[name] for name in copilot}
    run_json("clear", ORGANISATION, "--yes", database=url)
    assert Flag.select().count() == 0


def test_a_second_run_writes_nothing(application):
    seed(application)
    tables = ("users_customuser", "teams_membership", "teams_flag", "teams_flag_teams")
    before = {table: rows(application, table) for table in tables}
    outcome = seed(application)
    assert not any(result.written for result in outcome.reports[0].tables.values())
    assert outcome.reports[0].tables["teams_membership"].unchanged == 1
    assert {table: rows(application, table) for table in tables} == before
    assert outcome.login.password == DEFAULT_PASSWORD


def test_content_is_the_same_with_and_without(application, tmp_path):
    seed(application)
    other = connect(f"sqlite:///{tmp_path}/other.db")
    seed(other)
    there = content(other)
    other.close()
    assert content(application) == there


def test_where_there_is_nothing_to_log_in_to_nothing_is_made_and_nothing_said(database, url):
    result = command("seed", ORGANISATION, "--prs", 10, "--until", UNTIL, "--database", url)
    assert result.returncode == 0
    assert "log" not in result.stdout.lower()
    assert seed(database).login is None
    assert run_json("seed", ORGANISATION, "--until", str(UNTIL), database=url)["login"] is None
    assert SeedAccess.select().count() == 0


def test_without_login_nobody_is_made_but_pages_are_open(application):
    assert seed(application, login=None).login is None
    assert User.select().count() == Membership.select().count() == 0
    assert flags_of(Team.get().id) == CARD_FLAGS


@pytest.mark.parametrize("spelling", ["ann@example.com", "ANN@Example.com"])
def test_a_user_who_is_there_is_used_and_never_changed(application, spelling):
    add_user(application)
    before = rows(application, "users_customuser")
    outcome = seed(application, login=spelling, password=SECRET)
    assert rows(application, "users_customuser") == before
    assert Membership.get().user_id == before[0]["id"]
    assert (outcome.login.email, outcome.login.password) == ("ann@example.com", None)
    assert not outcome.login.created


def test_a_membership_that_is_there_stays(application):
    seed(application, login=None)
    user = add_user(application)
    add_membership(application, Team.get().id, user)
    seed(application, login="ann@example.com")
    assert [(each.user_id, each.role) for each in Membership.select()] == [(user, "member")]


@pytest.mark.parametrize("place", ["argument", "environment"])
def test_a_password_of_ones_own_is_shown_nowhere_and_kept_as_a_hash_only(application, url, place):
    options = ("seed", ORGANISATION, "--until", str(UNTIL), "--login", "bob@example.com", "--database", url)
    given = ("--password", SECRET) if place == "argument" else ()
    environment = {} if given else {"TFORMANCE_PASSWORD": SECRET}
    results = [command(*options, *given, *more, **environment) for more in ((), ("--json",))]
    assert [result.returncode for result in results] == [0, 0]
    assert access.has_password(User.get().password, SECRET)
    assert "with the password that you gave" in results[0].stdout
    login = json.loads(results[1].stdout)["login"]
    assert (login["email"], login["password"], login["created"]) == ("bob@example.com", None, False)
    kept = [str(row) for model in (SeedRun, SeedJob, SeedAccess) for row in model.select().dicts()]
    assert SECRET not in "".join([*kept, *(result.stdout + result.stderr for result in results)])


def test_a_password_that_was_changed_since_is_not_claimed(application, url):
    seed(application)
    User.update(password=access.hash_password("changed", DEFAULT_LOGIN)).execute()
    result = command("seed", ORGANISATION, "--until", UNTIL, "--database", url)
    assert DEFAULT_PASSWORD not in result.stdout
    assert f"as {DEFAULT_LOGIN}, who was there already and keeps their own password" in result.stdout


def test_the_summary_ends_with_where_and_how_to_log_in(application, url):
    options = ("seed", ORGANISATION, "--until", UNTIL, "--database", url)
    result = command(*options, TFORMANCE_APP_URL="https://app.example.com/")
    assert result.stdout.endswith(
        "open it in the application: https://app.example.com/accounts/login/\n"
        f"  as {DEFAULT_LOGIN}, password {DEFAULT_PASSWORD}\n"
    )


def test_integrations_are_made_only_when_asked_for(application):
    seed(application, integrations=["jira"])
    credential, integration = IntegrationCredential.get(), JiraIntegration.get()
    assert (credential.provider, credential.access_token, credential.scopes) == ("jira", "", [])
    assert (integration.credential_id, integration.team_id) == (credential.id, Team.get().id)
    assert "integration_jira_enabled" in flags_of(Team.get().id)
    outcome = seed(application, integrations=["jira"])
    assert not any(result.written for result in outcome.reports[0].tables.values())


@pytest.mark.parametrize("completes", [False, True])
def test_an_adopted_team_in_onboarding_is_told_of_and_completed_on_request(application, completes):
    team = add_team(TEAM)
    Team.update(onboarding_complete=False).execute()
    outcome = seed(application, adopt=True, complete_onboarding=completes)
    now = Team.get_by_id(team.id)
    assert now.onboarding_complete == completes
    assert (now.onboarding_pipeline_status == "complete") == completes
    assert Membership.select().count() == User.select().count() == 0
    told = [note for note in outcome.notes if "--complete-onboarding" in note and TEAM in note]
    assert len(told) == len(outcome.notes) == (0 if completes else 1)


def test_clear_removes_what_was_made_and_nothing_else(application, url):
    seed(application, integrations=["jira"])
    result = run_json("clear", ORGANISATION, "--yes", database=url)
    (cleared,) = result["organisations"]
    deleted = {table["table"]: table["rows_removed"] for table in cleared["tables"]}
    assert not any(table["rows_kept"] for table in cleared["tables"])
    assert deleted["users_customuser"] == deleted["teams_membership"] == deleted["teams_flag"] == 1
    assert deleted["integrations_jiraintegration"] == deleted["integrations_integrationcredential"] == 1
    models = (User, Membership, FlagTeam, JiraIntegration, IntegrationCredential, SeedAccess, Team)
    assert [model for model in models if model.select().count()] == []
    assert "cicd_enabled" not in {flag.name for flag in Flag.select()}


def test_a_demo_user_who_is_used_elsewhere_stays(application, url):
    seed(application, ORGANISATION, "resend")
    run_json("clear", "resend", "--yes", database=url)
    assert User.select().count() == 1
    add_membership(application, add_team("theirs").id, User.get().id)
    run_json("clear", ORGANISATION, "--yes", database=url)
    assert User.select().count() == Membership.select().count() == 1


def test_a_user_who_was_there_is_not_removed(application, url):
    add_user(application)
    seed(application, login="ann@example.com")
    run_json("clear", ORGANISATION, "--yes", database=url)
    assert (User.select().count(), Membership.select().count()) == (1, 0)


def test_a_cleared_team_is_open_again_after_the_next_run(application):
    seed(application)
    assert seed(application, clear=True).failures == {}
    assert (User.select().count(), Membership.select().count()) == (1, 1)
    assert flags_of(Team.get().id) == CARD_FLAGS
    assert SeedTeam.get().team_id == Membership.get().team_id


def test_further_columns_that_may_be_null_do_no_harm(application):
    application.execute_sql("ALTER TABLE users_customuser ADD COLUMN timezone VARCHAR(40)")
    application.execute_sql("ALTER TABLE teams_membership ADD COLUMN note TEXT")
    assert seed(application).login.created
    assert Membership.select(Membership.id).count() == 1


def test_a_column_that_must_be_filled_and_is_unknown_is_one_line(application, url):
    application.execute_sql("ALTER TABLE teams_membership RENAME TO old_membership")
    application.execute_sql("CREATE TABLE teams_membership AS SELECT *, 1 AS seat FROM old_membership")
    outcome = seed(application)
    assert outcome.failures == {}
    (note,) = outcome.notes
    assert "login demo@example.com: teams_membership" in note
    assert User.select().count() == 0
    with pytest.raises(InputError, match=r"login ann@example\.com: teams_membership"):
        seed(application, login="ann@example.com")


def test_a_user_without_rights_on_these_tables_is_told_in_one_line_and_can_clear(server, application_url):
    database = connect(application_url)
    create_access_tables(database)
    seed(database, "resend")
    server.execute("CREATE ROLE clerk LOGIN")
    for (table,) in server.execute("SELECT relname FROM pg_class WHERE relkind = 'r'", application_url):
        if table.startswith(("metrics_", "seed_")) or table == "teams_team":
            server.execute(f'GRANT ALL ON "{table}" TO clerk', application_url)
    database.execute_sql("GRANT CREATE ON SCHEMA public TO clerk")
    database.execute_sql("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk")
    limited = connect(application_url.replace("postgres:@", "clerk@").replace("postgres@", "clerk@"))
    outcome = seed(limited)
    (note,) = outcome.notes
    assert "the database user clerk may not SELECT on users_customuser" in note
    assert (outcome.failures, outcome.login) == ({}, None)
    assert maintain.clear_teams(limited, [ORGANISATION], wait=False)[ORGANISATION].deleted["teams_team"]
    limited.close()
    assert [each.team_id for each in Membership.select().execute(database)] == [
        team.id for team in Team.select().execute(database)
    ]
    database.close()


def test_workers_make_the_memberships_of_a_user_whom_the_command_made(workers, begin, opened):
    create_missing(opened)
    create_access_tables(opened)
    workers("--processes", "1")
    run = begin(ORGANISATION)
    wait_until(lambda: ledger.run_status(opened, run).state == ledger.FINISHED, 120)
    assert [each.user_id for each in Membership.select()] == [User.get().id]
    assert flags_of(Team.get().id) == CARD_FLAGS
    assert DEFAULT_PASSWORD not in str(list(SeedJob.select().dicts()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"login": "nobody"}, "login nobody: expected an email address"),
        ({"login": "a" * 150 + "@example.com"}, "at most 150"),
        ({"password": ""}, "password: expected"),
        ({"integrations": ["slack"]}, "integrations slack: expected jira"),
    ],
)
def test_impossible_input_is_refused_and_nothing_written(application, options, message):
    with pytest.raises(InputError, match=message):
        tformance_seed.seed(application, ORGANISATION, **options)
    assert Team.select().count() == User.select().count() == 0


def test_a_login_that_was_asked_for_and_has_no_tables_is_refused(database):
    with pytest.raises(InputError, match=r"login ann@example\.com: this database has no tables for it"):
        seed(database, login="ann@example.com")
    assert Team.select().count() == 0
