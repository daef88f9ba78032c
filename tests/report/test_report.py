"""What the report says: equal to a recount, the same in every form, and no more than can be known."""

import datetime
import json
import os
import re
import resource
import subprocess
from pathlib import Path

import peewee
import psycopg2
import pytest
import vl_convert

from tests.support.commands import argv, clean, command, command_process
from tests.support.recomputation import Recount
from tests.support.teams import MONDAY, Coherent, add, add_team
from tests.support.workers import statement
from tformance_seed.report import charts, drawings, page, sections, weekly_queries
from tformance_seed.report.series import add_up, gather_weekly
from tformance_seed.storage.connection import connect
from tformance_seed.storage.models import APPLICATION, LEDGER, AIUsageDaily, PullRequest, Team
from tformance_seed.storage.schema.create import create_missing
from tformance_seed.storage.transactions import reading

SEED = ("--members", "40", "--prs", "300", "--days", "30", "--until", "2026-03-18", "--adoption", "0.6")
SLUGS = ["acme", "polar"]

#: What is counted by week.
QUERIES = [*page.HEADLINE_QUERIES, *(chart.query for chart in charts.CHARTS if chart.query)]

#: Tables that the report lists.
TABLES = {model._meta.table_name: model for model in (*APPLICATION, *LEDGER)}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request, tmp_path_factory):
    """The URL of a database with a seeded team, polar, and one that is somebody else's, acme."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('filled')}/test.db"
    else:
        url = request.getfixturevalue("server").new_database()
    assert command("seed", "polar", *SEED, "--database", url).returncode == 0
    database = connect(url)
    acme = Coherent(database).team
    add(PullRequest, team=acme, github_pr_id=99, github_repo="a/b", state="open", pr_created_at=None)
    database.close()
    return url


@pytest.fixture
def reader(filled):
    database = connect(filled, access="read")
    yield database
    database.close()


def report(url, *arguments):
    result = command("report", *arguments, "--database", url, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


def refusal(*arguments, **environment):
    """The one line with which a command refuses wrong input."""
    result = command("report", *arguments, **environment)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
    return result.stderr


def test_organisations_equal_a_recount(filled, reader):
    found = report(filled)
    everything = Recount.of_all()
    assert [item["organisation"] for item in found["organisations"]] == SLUGS
    for item in found["organisations"]:
        counted = everything.of(item["organisation"])
        numbers, weeks_of = counted.organisation(), counted.weeks()
        assert {name: item[name] for name in numbers} == pytest.approx(numbers, rel=1e-12)
        assert (item["first_week"], item["last_week"]) == (str(weeks_of[0]), str(weeks_of[-1]))
    assert found["database"]["pull_requests"] == len(everything.pulls) == 331


def test_a_team_that_was_not_seeded_here_has_no_date_of_seeding(filled):
    acme, polar = report(filled)["organisations"]
    assert acme["seeded_at"] is None
    assert abs(datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(polar["seeded_at"])) < (
        datetime.timedelta(hours=1)
    )


def test_usage_is_set_against_the_formula_where_the_adoption_is_known(filled, reader):
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


def test_a_plan_of_another_version_tells_no_adoption(postgresql_url):
    assert command("seed", "polar", *SEED, "--database", postgresql_url).returncode == 0
    with_autocommit(postgresql_url, "UPDATE seed_job SET plan = '{}'")
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
        assert table["rows"] == TABLES[table["table"]].select().count()
        if table["rows"] and table["total_bytes"]:
            assert table["bytes_per_row"] == pytest.approx(table["total_bytes"] / table["rows"])


def test_postgresql_estimates_rows_before_and_after_analysis(postgresql_url):
    database = connect(postgresql_url)
    create_missing(database)
    with_autocommit(postgresql_url, "ALTER TABLE teams_team SET (autovacuum_enabled = false)")
    for number in range(50):
        add_team(f"team-{number}")
    database.close()

    def estimate():
        (teams,) = (table for table in report(postgresql_url)["tables"] if table["table"] == "teams_team")
        assert not teams["exact"]
        return teams["rows"]

    assert estimate() == 50
    with_autocommit(postgresql_url, "DELETE FROM teams_team WHERE id % 2 = 0")
    with_autocommit(postgresql_url, "VACUUM ANALYZE teams_team")
    assert estimate() == pytest.approx(25, abs=1)


def with_autocommit(url, sql):
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()


def test_postgresql_tells_sizes_cache_and_connections(server):
    url = server.new_database()
    assert command("seed", "polar", *SEED, "--database", url).returncode == 0
    with_autocommit(url, "CREATE TABLE theirs AS SELECT generate_series(1, 1000) AS number")
    with_autocommit(url, "VACUUM ANALYZE")  # or the server does it later, between the report and the sizes
    held = psycopg2.connect(url)
    found = report(url, "polar")
    held.close()
    database = found["database"]
    sizes = dict(
        statement(
            url,
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        )
    )
    assert {t["table"]: t["heap_bytes"] + t["index_bytes"] for t in found["tables"]} == {
        "(others)" if name == "theirs" else name: size for name, size in sizes.items()
    }
    ((size,),) = statement(url, "SELECT pg_database_size(current_database())")
    assert database["bytes"] == pytest.approx(size, rel=0.01)
    assert database["bytes_per_pull_request"] == pytest.approx(database["bytes"] / 300)
    assert 0.5 < database["cache_hit_ratio"] <= 1
    assert database["connections"] >= 2
    assert 1 <= database["active_connections"] < database["connections"]
    assert found["notes"] == []


def test_what_all_usage_comes_to_is_in_its_title(filled):
    title = next(
        line
        for line in command("report", "polar", "--database", filled).stdout.splitlines()
        if "0.85" in line
    )
    (usage,) = report(filled, "polar")["usage"]
    assert f"{usage['formula_rows']:,.0f} rows in all; there are {usage['rows']:,}" in title
    assert "in all" not in command("report", "--database", filled).stdout


def test_a_user_who_may_only_read_is_told_what_is_hidden(server):
    url = server.new_database()
    database = connect(url)
    create_missing(database)
    Coherent(database)
    with_autocommit(url, "CREATE ROLE visitor LOGIN")
    with_autocommit(url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor")
    found = report(url.replace("//postgres:@", "//visitor:@"))
    with_autocommit(url, "DROP OWNED BY visitor")
    with_autocommit(url, "DROP ROLE visitor")
    database.close()
    assert found["organisations"][0]["pull_requests"] == 30
    assert found["database"]["connections"] >= 2
    assert found["database"]["active_connections"] is None
    assert any("pg_monitor" in note for note in found["notes"])


def test_sqlite_tells_the_size_of_its_file_and_says_what_it_cannot(tmp_path):
    path = tmp_path / "x.db"
    assert command("seed", "polar", *SEED, "--database", f"sqlite:///{path}").returncode == 0
    before = path.read_bytes()
    found = report(f"sqlite:///{path}")
    assert found["database"]["bytes"] == path.stat().st_size
    assert found["database"]["cache_hit_ratio"] is None
    assert found["database"]["connections"] is None
    assert any("only PostgreSQL" in note for note in found["notes"])
    known = [table["total_bytes"] for table in found["tables"] if table["total_bytes"] is not None]
    if known:
        assert 0.9 * path.stat().st_size < sum(known) <= path.stat().st_size
    else:
        assert any("dbstat" in note for note in found["notes"])
    assert path.read_bytes() == before


def test_every_form_has_the_same_figures(filled):
    values = report(filled, "--exact")
    terminal = command("report", "--exact", "--database", filled).stdout
    document = command("report", "--exact", "--markdown", "--database", filled).stdout
    lines = [re.split(r"\s{2,}", line.strip()) for line in terminal.splitlines()]
    rows = [line.strip("| ").split(" | ") for line in document.splitlines() if line.startswith("|")]
    cells = [row for row in rows if not row[0].startswith("---")]
    volatile = {"cache hit ratio", "connections", "active connections"}
    headings_of_numbers = [row for row in cells if row[0] not in volatile]
    assert len(headings_of_numbers) > len(TABLES)
    assert [
        row for row in headings_of_numbers if row not in lines and " ".join(row) not in map(" ".join, lines)
    ] == []
    for columns, name in (
        (sections.TABLES, "tables"),
        (sections.ORGANISATIONS, "organisations"),
        (sections.USAGE, "usage"),
    ):
        for item in values[name]:
            assert [written(column, item[column.attribute]) for column in columns] in cells


def written(column: sections.Column, value):
    """A JSON value as the column writes it."""
    if value is None:
        return sections.UNKNOWN
    return value[:10] if column.format is sections.format_day else column.format(value)


def test_where_nobody_watches_lines_are_plain_and_unbroken(filled):
    lines = command("report", "--database", filled, COLUMNS="40").stdout.splitlines()
    assert not any("\x1b" in line for line in lines)
    for slug in SLUGS:
        assert sum(line.startswith(slug) for line in lines) == 2
    assert max(map(len, lines)) <= 160


def test_it_can_be_restricted_to_organisations(filled):
    found = report(filled, "acme")
    assert [item["organisation"] for item in found["organisations"]] == ["acme"]
    assert [item["organisation"] for item in found["usage"]] == ["acme"]
    assert found["database"]["pull_requests"] == 331
    assert "nobody" in refusal("acme", "nobody", "--database", filled)


def test_weeks_add_up_to_a_recount(filled, reader):
    found = gather_weekly(reader, SLUGS, QUERIES)
    everything = Recount.of_all()
    dated = [pull for pull in everything.pulls if pull.week]
    assert found.undated == len(everything.pulls) - len(dated) == 1
    series = found.series["pull_requests"]
    assert sum(series.sums["count"]) == len(dated)
    hours = sum(pull.cycle or 0 for pull in dated)
    assert sum(series.sums["hundredths"]) == pytest.approx(100 * hours)
    assert sum(found.series["first_reviews"].sums["count"]) == len(everything.hours("review"))
    assert sum(found.series["usage"].sums["count"]) == len(everything.usage)
    assert sum(found.series["tools"].sums["count"]) == sum(len(set(pull.tools)) for pull in everything.merged)
    assert sum(found.series["reviews"].sums["count"]) == len(everything.reviews)


def test_only_the_busiest_reviewers_are_told_apart(filled, reader, monkeypatch):
    monkeypatch.setattr(weekly_queries, "MAX_REVIEWERS", 2)
    found = gather_weekly(reader, SLUGS, QUERIES)
    everything = Recount.of_all()
    for slug in SLUGS:
        counts = {}
        for _, _, name in everything.of(slug).reviews:
            counts[name] = counts.get(name, 0) + 1
        reviewers = found.series["reviews"].dimensions["reviewer"]
        kept = [reviewer.name for reviewer in reviewers if found.slugs[reviewer.team] == slug]
        assert (
            sorted((counts[name] for name in kept), reverse=True) == sorted(counts.values(), reverse=True)[:2]
        )


def test_series_are_packed_without_loss():
    rows = [("b", 1, 5), ("a", 0, 1), ("b", 1, 2), ("a", 2, 9)]
    made = add_up(rows, {"letter": "ab", "number": range(3)}, ("count",))
    assert made.packed() == {
        "dimensions": {"letter": 2, "number": 3},
        "steps": [0, 2, 2],
        "sums": {"count": [1, 9, 7]},
    }


def test_nothing_can_be_written_while_it_reads(filled):
    database = connect(filled, access="read")
    with reading(database), pytest.raises(peewee.PeeweeException, match=r"read-?only"):
        add_team("intruder")
    database.close()


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",), ("--exact",), ("--html", "page.html")])
def test_an_applications_database_may_be_empty(application_url, tmp_path, form):
    result = command("report", *form, "--database", application_url, folder=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_teams_of_an_application_need_no_ledger(application_url):
    database = connect(application_url)
    database.bind(APPLICATION, bind_refs=False, bind_backrefs=False)
    Coherent(database)
    add(AIUsageDaily, team=add_team("empty"), member=1, date=MONDAY.date(), source="cursor")
    database.close()
    acme, empty = report(application_url)["organisations"]
    assert (acme["pull_requests"], acme["seeded_at"]) == (30, None)
    assert (empty["members"], empty["ai_share"], empty["first_week"]) == (0, None, None)


def test_a_ledger_of_another_version_counts_as_none(application_url):
    with_autocommit(application_url, "CREATE TABLE seed_team (slug text)")
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


def test_forms_that_do_not_go_together_are_refused(filled):
    assert "choose one" in refusal("--json", "--markdown", "--database", filled)


def test_a_page_is_written_only_where_it_can_be(filled, tmp_path):
    theirs = tmp_path / "notes.html"
    theirs.write_text("<!doctype html><title>dear to somebody</title>")
    assert "no folder" in refusal("--html", tmp_path / "none" / "page.html", "--database", filled)
    for there in (tmp_path, theirs, Path("/dev/null")):
        assert "is not a page" in refusal("--html", there, "--database", filled)
    assert "dear to somebody" in theirs.read_text()
    assert list(tmp_path.iterdir()) == [theirs]


def test_a_page_replaces_an_older_one_all_or_nothing(filled, tmp_path):
    page = tmp_path / "page.html"
    wish = ("report", "--html", page, "--database", filled)
    assert command(*wish, "acme").returncode == 0
    older = page.read_text()

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    full = subprocess.run(
        argv(*wish), capture_output=True, text=True, env=clean(), preexec_fn=little_room, check=False
    )
    assert (full.returncode, full.stderr.count("\n")) == (2, 1), full.stderr
    assert page.read_text() == older
    result = command(*wish)
    assert (result.returncode, str(page) in result.stdout) == (0, True)
    assert '"polar"' in page.read_text()
    assert list(tmp_path.iterdir()) == [page]
    umask = 0o666 & ~current_umask()
    assert page.stat().st_mode & 0o777 == umask


def current_umask():
    return int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if "Umask" in line)[6:], 8
    )


def test_a_page_can_be_had_along_with_another_form(filled, tmp_path):
    found = report(filled, "--html", tmp_path / "page.html")
    assert [item["organisation"] for item in found["organisations"]] == SLUGS
    assert (tmp_path / "page.html").exists()


def test_without_the_extra_it_says_what_to_install(filled, tmp_path):
    (tmp_path / "altair.py").write_text("raise ImportError('as if it were not there')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    page = tmp_path / "page.html"
    refused = command_process("report", "--html", page, "--database", filled, PYTHONPATH=path)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
    assert "pip install 'tformance_seed[report]'" in refused.stderr
    assert command_process("report", "--database", filled, PYTHONPATH=path).returncode == 0


def test_a_name_with_a_dot_is_one_name_in_a_chart():
    chart = drawings.stacked_bars({"claude.ai": "red", "a[b]": "green"}).encode(x="week:N", y="sum(amount):Q")
    row = {"week": "w", "claude.ai": 5, "a[b]": 3}
    drawn = vl_convert.vegalite_to_svg({**chart.to_dict(), "datasets": {"rows": [row]}, "width": 200})
    assert "Sum of amount: 5; part: claude.ai" in drawn
    assert "Sum of amount: 3; part: a[b]" in drawn
