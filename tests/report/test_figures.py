"""Figures of organisations, tables and AI usage equal a recount."""

import datetime

import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.recomputation import Recount
from tests.support.reports import SEED, SLUGS, execute, refusal, report
from tests.support.teams import MONDAY, Coherent, add, add_team
from tformance_seed.report.infrastructure import OTHERS
from tformance_seed.report.origins import find_origin
from tformance_seed.storage.models import APPLICATION, LEDGER, AIUsageDaily, SeedTeam, Team

#: Tables that the report lists.
TABLES = {model._meta.table_name: model for model in (*APPLICATION, *LEDGER)}


def test_organisations_equal_a_recount(filled, reader):
    found = report(filled)
    everything = Recount.of_all()
    assert [item["organisation"] for item in found["organisations"]] == SLUGS
    for item in found["organisations"]:
        counted = everything.of(item["organisation"])
        numbers, weeks_of = counted.organisation(), counted.weeks()
        assert {name: item[name] for name in numbers} == pytest.approx(numbers, rel=1e-12)
        assert (item["first_week"], item["last_week"]) == (str(weeks_of[0]), str(weeks_of[-1]))
    assert found["statistics"]["pull_requests"] == len(everything.pulls) == 331


def test_a_team_that_was_not_seeded_here_has_no_date_of_seeding(filled):
    acme, polar = report(filled)["organisations"]
    assert acme["seeded_at"] is None
    assert abs(datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(polar["seeded_at"])) < (
        datetime.timedelta(hours=1)
    )


@pytest.mark.parametrize(
    ("changes", "origin"),
    [
        ({}, "simulated"),
        ({"input_spec": {"source": "git"}}, "history"),
        ({"input_spec": {"source": "github"}}, "history"),
        ({"max_ids_before_adoption": {"metrics_teammember": 0}}, "simulated"),
        ({"max_ids_before_adoption": {"metrics_teammember": 7}}, "adopted"),
        ({"input_spec": None}, "unknown"),
    ],
)
def test_the_ledger_knows_where_rows_come_from(changes, origin):
    assert find_origin(SeedTeam(**{"input_spec": {"source": "synthetic"}, **changes})) == origin


def test_the_origin_of_every_organisation_is_stated(filled):
    acme, polar = report(filled)["organisations"]
    assert (acme["origin"], polar["origin"]) == ("unknown", "simulated")


def test_usage_is_compared_with_the_formula_where_the_adoption_is_known(filled, reader):
    acme, polar = report(filled)["usage"]
    usage = Recount.of_all().usage
    assert (polar["since"], polar["until"], polar["workdays"]) == ("2026-02-17", "2026-03-18", 22)
    assert polar["formula_rows"] == pytest.approx(40 * 22 * 0.85 * 0.6)
    assert polar["rows"] == sum(row[0] == "polar" for row in usage)
    assert polar["implied_adoption"] == pytest.approx(polar["rows"] / (40 * 22 * 0.85))
    assert polar["rows"] == pytest.approx(polar["formula_rows"], rel=0.1)
    assert (acme["adoption"], acme["formula_rows"]) == (None, None)
    assert (acme["members"], acme["workdays"], acme["rows"]) == (4, 5, 20)
    assert acme["implied_adoption"] == pytest.approx(20 / (4 * 5 * 0.85))


def test_a_plan_of_another_version_has_no_known_adoption(postgresql_url):
    assert command("seed", "polar", *SEED, "--database", postgresql_url).returncode == 0
    execute(postgresql_url, "UPDATE seed_job SET plan = '{}'")
    (usage,) = report(postgresql_url)["usage"]
    assert (usage["adoption"], usage["workdays"]) == (None, 22)
    assert usage["implied_adoption"] == pytest.approx(0.6, abs=0.1)


def test_adoption_of_a_scenario_is_the_mean_of_its_weeks(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    assert (
        command("seed", "--scenario", "ai-success", "--until", "2026-03-15", "--database", url).returncode
        == 0
    )
    (usage,) = report(url)["usage"]
    assert usage["workdays"] == 40
    assert usage["adoption"] == pytest.approx((0.10 + 0.75) / 2)


def test_rows_are_counted_on_request(filled, reader):
    for table in report(filled, "--exact")["tables"]:
        assert table["exact"]
        if table["table"] == OTHERS:  # SQLite's own statistics
            continue
        assert table["rows"] == TABLES[table["table"]].select().count()
        if table["rows"] and table["total_bytes"]:
            assert table["bytes_per_row"] == pytest.approx(table["total_bytes"] / table["rows"])


def test_it_can_be_restricted_to_organisations(filled):
    found = report(filled, "acme")
    assert [item["organisation"] for item in found["organisations"]] == ["acme"]
    assert [item["organisation"] for item in found["usage"]] == ["acme"]
    assert found["statistics"]["pull_requests"] == 331
    assert "absent" in refusal("acme", "absent", "--database", filled)


def test_teams_of_an_application_need_no_ledger(application_url):
    database = connect(application_url)
    Coherent(database)
    add(AIUsageDaily, team=add_team("empty"), member=1, date=MONDAY.date(), source="cursor")
    database.close()
    acme, empty = report(application_url)["organisations"]
    assert (acme["pull_requests"], acme["seeded_at"]) == (30, None)
    assert (empty["members"], empty["ai_share"], empty["first_week"]) == (0, None, None)


def test_a_ledger_of_another_version_counts_as_none(application_url):
    execute(application_url, "CREATE TABLE seed_team (slug text)")
    add_to = connect(application_url)
    Coherent(add_to)
    add_to.close()
    assert report(application_url)["organisations"][0]["seeded_at"] is None


def test_a_database_without_our_tables_is_refused(url, tmp_path):
    database = connect(url)
    assert "lacks 19 of the application's 19 tables" in refusal("--database", url)
    database.create_tables([Team])
    database.close()
    assert "lacks 18 of the application's 19 tables" in refusal("--database", url)
