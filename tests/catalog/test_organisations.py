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
from tformance_seed.sampling.keyed_random import KeyedRandom
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
    assert TOOL_COUNTS.keys() - names == {"codegen", "ellipsis", "sourcery"}  # the application knows no such
    assert names < TOOL_COUNTS.keys()
    assert TOOL_COUNTS_BY_MONTH.keys() <= names - set(REVIEW_TOOLS)
    assert sum(TOOL_COUNTS[name] for name in names & set(REVIEW_TOOLS)) == 18_516


def load_own(tmp_path, *lines):
    file = tmp_path / "own.toml"
    file.write_text("\n".join(["[acme]", 'name = "Acme"', *lines]))
    return load_organisations(file)["acme"]


def test_languages_are_stated_for_all_repositories_or_for_each(tmp_path):
    random = KeyedRandom(1, "acme")
    repos = 'repos = ["acme/api", "acme/web"]'
    both = load_own(tmp_path, repos, "languages = { TypeScript = 30, Python = 60 }")
    for repository in both.repos:
        shares = both.languages_of(repository, random)
        assert list(shares.items()) == [
            ("Python", pytest.approx(2 / 3)),
            ("TypeScript", pytest.approx(1 / 3)),
        ]
    each = load_own(tmp_path, repos, "languages = [{ Go = 80 }, { Vue = 60, TypeScript = 20 }]")
    assert each.languages_of("acme/api", random) == {"Go": 1}
    assert each.languages_of("acme/web", random) == {"Vue": 0.75, "TypeScript": 0.25}
    # The first repository is the busiest: it has two thirds of the pull requests.
    assert each.all_languages(random) == pytest.approx({"Go": 2 / 3, "Vue": 1 / 4, "TypeScript": 1 / 12})


def test_languages_that_are_not_stated_follow_the_name_of_the_repository(tmp_path):
    own = load_own(tmp_path, 'repos = ["acme/gem", "acme/client-js", "acme/x"]')
    random = KeyedRandom(1, "acme")
    assert next(iter(own.languages_of("acme/gem", random))) == "Ruby"
    assert next(iter(own.languages_of("acme/client-js", random))) == "TypeScript"
    assert own.languages_of("acme/x", random) == own.languages_of("acme/x", random)


@pytest.mark.parametrize(
    ("languages", "problem"),
    [
        ("{}", "expected a table of languages"),
        ("[]", "expected a table of languages"),
        ('"Python"', "expected a table of languages"),
        ("{ Python = 0 }", "expected a table of languages"),
        ("{ Python = nan }", "expected a table of languages"),
        ("{ Pyton = 100 }", "names the unknown 'Pyton'; did you mean Python?"),
        ("[{ Go = 1 }, { Go = 1 }]", "languages has 2 tables; repos has 1"),
    ],
)
def test_impossible_languages_are_refused(tmp_path, languages, problem):
    with pytest.raises(InputError) as refusal:
        load_own(tmp_path, f"languages = {languages}")
    assert problem in str(refusal.value)
    assert "own.toml:3: [acme]" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_every_organisation_of_the_catalogue_states_its_languages():
    for organisation in load_organisations().values():
        assert len(organisation.languages) == len(organisation.repos)
