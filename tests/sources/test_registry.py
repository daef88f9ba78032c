"""A source is a folder and a line in the registry."""

import pytest

from tests.support.commands import command
from tests.support.seeds import NOW
from tformance_seed.errors import InputError
from tformance_seed.planning.plan import make_plans, restore
from tformance_seed.planning.request import Request
from tformance_seed.sources.registry import SOURCES, source_type


@pytest.fixture
def observed(monkeypatch):
    monkeypatch.setitem(SOURCES, "observed", "tests.support.observed")


def test_every_registered_source_can_be_planned_with():
    for name in SOURCES:
        assert source_type(name).own_options, name


def test_help_and_errors_list_the_registered_sources(observed):
    refused = command("seed", "--source", "nonsense", "--dry-run")
    assert refused.returncode == 2
    assert "--source nonsense: expected synthetic or git or github or cache or observed" in refused.stderr
    assert "synthetic|git" in command("seed", "--help").stdout  # of when the command line was imported


def test_a_new_source_needs_its_line_alone(observed):
    (plan,) = make_plans(Request(organisations=["reviews"], source="observed"), NOW)
    assert (plan.source.name, plan.slug) == ("observed", "reviews")
    again = restore(plan.record(), plan.fingerprint())
    assert (again.source.name, again.source.record) == ("observed", plan.source.record)


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"members": 5}, "--members works only with --source synthetic: a repository brings its own"),
        ({"prs": 0}, "--prs works only with --source synthetic: a repository brings its own"),
        ({"repositories": ["clone"]}, "--repo works only with --source git"),
        (
            {"emails": True},
            "--emails works only with --source git or github or cache: generated addresses are nobody's",
        ),
    ],
)
def test_options_of_other_sources_are_refused(observed, wishes, message):
    with pytest.raises(InputError) as refusal:
        make_plans(Request(organisations=["reviews"], source="observed", **wishes), NOW)
    assert str(refusal.value) == message


def test_a_repository_implies_its_source():
    assert Request(repositories=["clone"]).source_name == "git"
    assert Request().source_name == "synthetic"
    assert Request(source="git").source_name == "git"
