"""Scales: one option for the size of a whole database."""

import datetime
import json

import pytest

import tformance_seed
from benchmarks import fill
from tests.support.commands import command
from tests.support.seeds import NOW
from tformance_seed.catalog.calibration import APPLICATION_PULL_REQUESTS, APPLICATION_USAGE_ROWS
from tformance_seed.catalog.scales import SCALES
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request

UNTIL = datetime.date(2026, 3, 18)


def sizes(request):
    return {
        plan.slug: (plan.profile.members, plan.profile.prs, plan.profile.until)
        for plan in make_plans(request, NOW)
    }


@pytest.fixture(scope="module")
def full():
    result = command("seed", "--all", "--scale", "document", "--dry-run", "--json")
    return {each["organisation"]: each for each in json.loads(result.stdout)["organisations"]}


def test_all_organisations_together_have_the_size_of_the_applications_database(full):
    assert len(full) == 100
    assert sum(each["pull_requests"] for each in full.values()) == APPLICATION_PULL_REQUESTS
    rows = sum(each["ai_usage_rows"] for each in full.values())
    assert rows == pytest.approx(APPLICATION_USAGE_ROWS, rel=0.001)
    assert {(each["since"], each["until"]) for each in full.values()} == {("2025-12-19", "2026-03-18")}


def test_an_organisation_has_its_share_whatever_else_is_seeded(full):
    alone = sizes(Request(organisations=["polar"], scale="document"))
    assert alone == {"polar": (full["polar"]["members"], full["polar"]["pull_requests"], UNTIL)}
    assert sizes(Request(organisations=["resend", "polar"], scale="document"))["polar"] == alone["polar"]


def test_another_window_changes_no_size(full):
    until = UNTIL - datetime.timedelta(days=1)
    changed = sizes(Request(organisations=["polar"], scale="document", until=until, days=30))
    assert changed == {"polar": (full["polar"]["members"], full["polar"]["pull_requests"], until)}


def test_without_a_scale_sizes_are_the_catalogues():
    (plan,) = make_plans(Request(organisations=["polar"], until=UNTIL), NOW)
    assert (plan.profile.members, plan.profile.prs) == (plan.profile.organisation.members, None)


def test_organisations_of_which_nobody_uses_ai_tools_keep_their_members(tmp_path):
    catalog = tmp_path / "own.toml"
    catalog.write_text('[acme]\nname = "Acme"\nmembers = 7\nai_adoption_rate = 0\n')
    ((members, *_),) = sizes(Request(everything=True, catalog=catalog, scale="document")).values()
    assert members == 7


def test_the_python_api_and_the_benchmarks_have_the_same_scale(tmp_path):
    catalog = tmp_path / "own.toml"
    catalog.write_text('[acme]\nname = "Acme"\nai_adoption_rate = 1\n')
    url = f"sqlite:///{tmp_path}/x.db"
    outcome = tformance_seed.seed(url, everything=True, catalog=catalog, days=3, scale=fill.SCALE)
    share = APPLICATION_PULL_REQUESTS // SCALES[fill.SCALE].organisations
    assert [(report.pull_requests, report.until) for report in outcome.reports] == [(share, UNTIL)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--scale", "huge"), "--scale huge: no such scale; expected document"),
        (("--scale", "document", "--members", "4"), "--members and --scale cannot be combined"),
        (("--scale", "document", "--prs", "0"), "--prs and --scale cannot be combined"),
        (("--scale", "document", "--adoption", "0"), "--adoption and --scale cannot be combined"),
        (("--scale", "document", "--scenario", "baseline"), "--scenario and --scale cannot be combined"),
        (("--scale", "document", "--repo", "."), "--scale works only with --source synthetic"),
    ],
)
def test_a_wrong_scale_is_refused_in_one_line(tmp_path, options, words):
    result = command("seed", *options, folder=tmp_path)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []
