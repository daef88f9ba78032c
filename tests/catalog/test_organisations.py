"""The catalogue: what an entry may say, and what it says by default."""

import datetime

import pytest

from tformance_seed.catalog import Organisation, find_organisation, load_organisations
from tformance_seed.catalog.calibration import (
    DAILY_USE_RATE,
    TOOL_COUNTS,
    TOOL_COUNTS_BY_MONTH,
    USAGE_FORMULA,
    expected_usage_rows,
)
from tformance_seed.catalog.profile import Profile, days_between, workdays_between
from tformance_seed.errors import InputError
from tformance_seed.sources.detection import REVIEW_TOOLS
from tformance_seed.sources.synthetic.words import ai_tools


def test_what_an_entry_leaves_out_has_a_default(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('[acme-rockets]\nname = "Acme"\n\n[two]\nname = "Two"\nprs_per_year = 9000\n')
    organisations = load_organisations(file)
    assert organisations["acme-rockets"] == Organisation(
        "acme-rockets", "Acme", ("acme-rockets/acme-rockets",), jira_project_key="ACMEROCKET", members=20
    )
    assert organisations["two"].members == 200


def test_no_two_pull_requests_of_an_organisation_share_an_invented_issue():
    organisation = Organisation("acme", "Acme", ("acme/one", "acme/two"), jira_project_key="ACME")
    issues = set()
    for repository in organisation.repos:
        project, first, step = organisation.jira_scheme(repository)
        assert project == "ACME"
        issues |= {first + number * step for number in range(1, 101)}
    assert len(issues) == 200


@pytest.mark.parametrize("value", ["true", "-0.1", "1.1", '"0.5"', "nan"])
def test_a_rate_is_a_number_from_0_to_1(tmp_path, value):
    file = tmp_path / "own.toml"
    file.write_text(f'[acme]\nname = "Acme"\nai_adoption_rate = {value}\n')
    with pytest.raises(
        InputError, match=r":3: \[acme\] ai_adoption_rate = .*: expected a number from 0 to 1"
    ):
        load_organisations(file)


def test_a_misspelt_slug_brings_similar_ones():
    with pytest.raises(InputError, match="did you mean polar"):
        find_organisation("polr", load_organisations())


def test_usage_follows_its_formula():
    assert USAGE_FORMULA == "members x workdays x 0.85 x adoption"
    assert expected_usage_rows(40, 22, 0.6) == pytest.approx(40 * 22 * DAILY_USE_RATE * 0.6)
    organisation = Organisation("acme", "Acme", members=50, prs_per_year=3650, ai_adoption_rate=0.4)
    assert organisation.expected_rows(365) == {
        "members": 50,
        "pull requests": 3650,
        "commits": 14_965,
        "files": 32_120,
        "AI usage": round(50 * 261 * 0.85 * 0.4),
    }


def test_windows_have_their_days_and_workdays():
    friday, monday = datetime.date(2026, 3, 13), datetime.date(2026, 3, 16)
    assert days_between(friday, monday).tolist() == [friday + datetime.timedelta(days=n) for n in range(4)]
    assert workdays_between(friday, monday).tolist() == [friday, monday]
    weekend = Profile(
        Organisation("acme", "Acme"), 7, datetime.date(2026, 3, 14), datetime.date(2026, 3, 15), 5
    )
    assert len(weekend.workdays) == 0
    assert weekend.mean_adoption == 0


def test_every_tool_has_published_counts():
    names = {tool.name.decode() for tool in ai_tools()}
    assert names == TOOL_COUNTS.keys()
    assert TOOL_COUNTS_BY_MONTH.keys() <= names - set(REVIEW_TOOLS)
    assert sum(TOOL_COUNTS[name] for name in names & set(REVIEW_TOOLS)) == 18_630
