"""The Python API, on SQLite and PostgreSQL, and the recipes in examples/ that are built on it."""

import datetime
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import peewee
import pytest

import tformance_seed
from tests.support.commands import command
from tests.support.servers import APPLICATION_SQL
from tformance_seed.storage.models import PullRequest, SeedRun, Team

PROJECT = Path(__file__).parents[1]
WINDOW = {"days": 14, "until": "2026-03-18", "members": 6, "prs": 12}


@pytest.fixture
def opened(url):
    database = tformance_seed.connect(url)
    yield database
    database.close()


def test_seed_fills_an_empty_database_and_says_what_it_wrote(opened):
    outcome = tformance_seed.seed(opened, "polar", **WINDOW)
    assert outcome.failures == {}
    (report,) = outcome.reports
    assert (report.organisation, report.members, report.pull_requests) == ("polar", 6, 12)
    assert report.until == datetime.date(2026, 3, 18)
    assert report.tables["metrics_pullrequest"].written == 12
    assert PullRequest.select().count(opened) == 12


def test_second_call_writes_nothing(opened):
    tformance_seed.seed(opened, "polar", **WINDOW)
    (report,) = tformance_seed.seed(opened, "polar", **WINDOW).reports
    assert sum(result.written for result in report.tables.values()) == 0


def test_a_url_does_as_well_as_a_database(url):
    tformance_seed.seed(url, "polar", **WINDOW)
    (report,) = tformance_seed.verify(url, "polar")
    assert report.violations == []


def test_several_organisations_are_one_run(opened):
    outcome = tformance_seed.seed(opened, "polar", "resend", **WINDOW)
    assert [report.organisation for report in outcome.reports] == ["polar", "resend"]
    assert SeedRun.select().count(opened) == 1
    assert [report.organisation for report in tformance_seed.verify(opened)] == ["polar", "resend"]


def test_the_digest_is_that_of_the_command_line(opened, tmp_path):
    tformance_seed.seed(opened, "polar", **WINDOW)
    other = f"sqlite:///{tmp_path}/other.db"
    options = [f"--{name}={value}" for name, value in WINDOW.items()]
    assert command("seed", "polar", *options, "--database", other).returncode == 0
    (here,), (there,) = tformance_seed.verify(opened), tformance_seed.verify(other)
    assert here.digest == there.digest


def test_dates_may_be_dates_or_text(opened):
    tformance_seed.seed(opened, "polar", **WINDOW)
    window = WINDOW | {"until": datetime.date(2026, 3, 18)}
    (report,) = tformance_seed.seed(opened, "polar", **window).reports
    assert not report.started_over
    assert report.tables["metrics_pullrequest"].written == 0


def test_progress_is_reported(opened):
    seen = []
    tformance_seed.seed(opened, "polar", progress=seen.append, **WINDOW)
    assert seen[-1].state == "finished"


def test_a_catalogue_and_a_scenario_may_be_given(opened, tmp_path):
    catalog = tmp_path / "own.toml"
    catalog.write_text('[acme]\nname = "Acme"\n')
    outcome = tformance_seed.seed(
        opened, "acme", catalog=str(catalog), scenario="baseline", until="2026-03-18"
    )
    assert [report.organisation for report in outcome.reports] == ["acme"]
    assert Team.select().where(Team.slug == "acme").get(opened).name == "Acme"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"until": "yesterday"}, "until yesterday: "),
        ({"days": 0}, "^days 0: impossible window"),
        ({"chunk_size": 0}, "^chunk_size 0: "),
        ({"everything": True}, "^everything and named organisations"),
        ({"scenario": "nonsense"}, "one of ai-success"),
        ({"adoption": 2.0}, "a rate from 0 to 1"),
    ],
)
def test_wrong_input_is_an_input_error_and_writes_nothing(opened, wrong, message):
    with pytest.raises(tformance_seed.InputError, match=message) as refusal:
        tformance_seed.seed(opened, "polar", **WINDOW | wrong)
    assert "--" not in str(refusal.value)
    assert opened.get_tables() == []


def test_verify_of_an_unknown_organisation_is_an_input_error(opened):
    tformance_seed.seed(opened, "polar", **WINDOW)
    with pytest.raises(tformance_seed.InputError, match="no team nobody"):
        tformance_seed.verify(opened, "nobody")


def test_every_error_is_a_seed_error():
    errors = [name for name in tformance_seed.__all__ if name.endswith("Error")]
    assert len(errors) > 2
    assert all(issubclass(getattr(tformance_seed, name), tformance_seed.SeedError) for name in errors)


def test_upsert_writes_rows_of_any_model(opened):
    class Reading(peewee.Model):
        sensor = peewee.IntegerField(unique=True)
        value = peewee.FloatField()

    Reading.bind(opened)
    opened.create_tables([Reading])
    rows = {"sensor": [1, 2], "value": [0.5, 1.5]}
    assert tformance_seed.upsert(Reading, rows, database=opened).written == 2
    assert tformance_seed.upsert(Reading, rows, database=opened).unchanged == 2


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        tformance_seed.nonsense  # noqa: B018


def test_workers_may_do_it(workers, postgresql_url, broker):
    workers("--processes", "1", "--threads", "1")
    outcome = tformance_seed.seed(postgresql_url, "polar", broker=broker.url, **WINDOW)
    assert outcome.failures == {}
    assert outcome.reports[0].pull_requests == 12


def run_example(folder: Path, **environment: str) -> None:
    """Run an example's own tests, in place as its reader does, below the repository's configuration."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout


@pytest.fixture
def example(request) -> Path:
    return PROJECT / "examples" / request.param


@pytest.mark.parametrize("example", ["pytest_fixture"], indirect=True)
def test_the_fixture_seeds_a_database_for_pytest(example):
    run_example(example)


@pytest.mark.parametrize("example", ["django_settings"], indirect=True)
def test_a_django_project_finds_its_test_database_seeded_on_sqlite(example):
    run_example(example)


@pytest.mark.parametrize("example", ["django_settings"], indirect=True)
def test_a_django_project_finds_its_test_database_seeded_on_postgresql(example, server, postgresql_url):
    server.execute(APPLICATION_SQL.read_text(), postgresql_url)
    parts = urlsplit(postgresql_url)
    name = parts.path[1:]
    run_example(
        example,
        PGDATABASE=name,
        PGTEMPLATE=name,
        PGUSER=parts.username or "postgres",
        PGHOST=parse_qs(parts.query)["host"][0],
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda url: tformance_seed.seed(url, ["polar", "resend"]),
            "organisations: expected slugs one by one",
        ),
        (lambda url: tformance_seed.verify(url, ["polar"]), "organisations: expected slugs one by one"),
        (lambda url: tformance_seed.seed(Path(url)), "database: expected a URL or what connect"),
        (lambda url: tformance_seed.upsert(Team, [{"slug": "a"}], database=url), "an open peewee.Database"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_in_a_sentence(url, call, words):
    with pytest.raises(TypeError, match=words):
        call(url)
