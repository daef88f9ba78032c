"""Teams have the application's slugs; commands, draws and digests keep to the organisations' short names."""

import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.json_output import by_table
from tests.support.seeds import ORGANISATION, TEAM, content, seed
from tests.support.teams import add_team
from tests.support.workers import run_json
from tformance_seed.catalog import load_organisations, load_scenarios
from tformance_seed.errors import InputError
from tformance_seed.storage.models import SeedTeam, Team, TeamMember

#: Scenario -> slug and name of its team in the application.
SCENARIOS = {
    "ai-success": ("ai-pioneers", "AI Pioneers"),
    "review-bottleneck": ("bottleneck-team", "Bottleneck Team"),
    "baseline": ("baseline-team", "Baseline Team"),
    "detective-game": ("ai-detectives", "AI Detectives"),
}


def slugs(printed):
    return [each["organisation"] for each in printed["organisations"]]


def teams():
    return {team.slug: team.name for team in Team.select()}


def test_organisations_of_the_catalogue_have_the_applications_slugs():
    slugs = {slug: organisation.team_slug for slug, organisation in load_organisations().items()}
    assert slugs == {slug: f"{slug}-demo" for slug in slugs}
    assert len(slugs) == 100


def test_scenarios_have_the_applications_slugs_and_names():
    found = {name: (each.team_slug, each.team_name) for name, each in load_scenarios().items()}
    assert found == SCENARIOS


def test_a_team_has_the_applications_slug_and_name(database):
    seed(database)
    assert teams() == {TEAM: "Polar.sh"}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_team_that_only_shows_a_scenario_has_the_applications_slug_and_name(database, scenario, url):
    options = ("--until", "2026-03-18", "--database", url)
    assert command("seed", "--scenario", scenario, *options).returncode == 0
    assert teams() == dict([SCENARIOS[scenario]])
    assert slugs(run_json("verify", scenario, database=url)) == [scenario]


def test_organisations_of_an_own_catalogue_keep_their_slugs_unless_it_says_otherwise(database, tmp_path):
    catalog = tmp_path / "own.toml"
    catalog.write_text('[polar]\nname = "Ours"\n[acme]\nname = "Acme"\nteam_slug = "acme-inc"\n')
    seed(database, "polar", "acme", catalog=catalog)
    assert teams() == {"polar": "Ours", "acme-inc": "Acme"}


def test_two_organisations_with_one_team_are_refused(database, tmp_path):
    catalog = tmp_path / "own.toml"
    catalog.write_text('[polar]\nname = "Ours"\n[acme]\nname = "Acme"\nteam_slug = "polar"\n')
    with pytest.raises(InputError, match="polar and acme have the same team, polar"):
        seed(database, "polar", "acme", catalog=catalog)
    assert teams() == {}


def test_content_and_digest_are_the_same_whatever_the_team_is_called(database, tmp_path):
    seed(database)
    other = connect(f"sqlite:///{tmp_path}/other.db")
    seed(other, slug="elsewhere")
    assert [team.slug for team in Team.select()] == ["elsewhere"]
    there = content(other)
    other.close()
    assert content(database) == there


def test_another_slug_renames_the_team_and_writes_nothing_else(database):
    seed(database)
    team = Team.get()
    outcome = seed(database, slug="renamed")
    assert not any(result.written for result in outcome.reports[0].tables.values())
    assert [(row.id, row.slug) for row in Team.select()] == [(team.id, "renamed")]
    seed(database)  # a slug that is not asked for again stays
    assert list(teams()) == ["renamed"]


def test_a_team_named_by_an_older_version_keeps_its_slug(database):
    seed(database)
    Team.update(slug=ORGANISATION).execute()
    SeedTeam.update(team_slug=ORGANISATION).execute()
    assert seed(database, days=22).failures == {}
    assert teams() == {ORGANISATION: "Polar.sh"}


@pytest.mark.parametrize("name", [ORGANISATION, TEAM])
def test_commands_know_a_team_by_its_short_name_and_by_its_slug(database, url, name):
    seed(database)
    assert slugs(run_json("verify", name, database=url)) == [ORGANISATION]
    assert slugs(run_json("weekly", name, database=url)) == [ORGANISATION]
    (reported,) = run_json("report", name, database=url)["organisations"]
    assert (reported["organisation"], reported["team"]) == (ORGANISATION, TEAM)
    assert slugs(run_json("clear", name, "--yes", database=url)) == [ORGANISATION]
    assert teams() == {}


def test_a_team_of_the_application_with_that_slug_is_not_touched_unless_adopted(database):
    add_team(TEAM)
    with pytest.raises(InputError, match=f"a team {TEAM} .* this package did not create"):
        seed(database)
    assert TeamMember.select().count() == 0
    assert seed(database, adopt=True).failures == {}
    assert teams() == {TEAM: TEAM.title()}


def test_a_team_of_the_application_with_the_short_name_is_another_team(database, url):
    theirs = add_team(ORGANISATION)
    assert seed(database).failures == {}
    assert set(teams()) == {ORGANISATION, TEAM}
    assert slugs(run_json("verify", ORGANISATION, database=url)) == [ORGANISATION]
    (cleared,) = run_json("clear", ORGANISATION, "--yes", database=url)["organisations"]
    assert cleared["team"] == TEAM
    assert by_table(cleared)["teams_team"]["rows_removed"] == 1
    assert [team.id for team in Team.select()] == [theirs.id]


def test_the_team_of_another_organisation_is_not_taken(database):
    seed(database)
    with pytest.raises(InputError, match=f"the team {TEAM} belongs to the organisation {ORGANISATION}"):
        seed(database, "resend", slug=TEAM, adopt=True)
    assert list(teams()) == [TEAM]


@pytest.mark.parametrize(
    ("organisations", "slug", "message"),
    [
        (("polar",), "Not a slug", "slug Not a slug: expected"),
        (("polar", "resend"), "both", "slug both: it is the slug of one team"),
    ],
)
def test_an_impossible_slug_is_refused(database, organisations, slug, message):
    with pytest.raises(InputError, match=message):
        seed(database, *organisations, slug=slug)
    assert teams() == {}
