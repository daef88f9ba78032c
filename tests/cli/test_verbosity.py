"""How much `seed` and `retry` say of a run: a table by organisation, nothing, or everything."""

import json

import pytest

from tests.support.commands import command
from tformance_seed.cli.run_views import outcome
from tformance_seed.commands.seed import Outcome

CATALOGUE = """\
[large]
name = "Large"
prs_per_year = 3000
[small]
name = "Small"
prs_per_year = 60
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The options that seed two organisations, one of which takes longer, and what that printed."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "two.toml").write_text(CATALOGUE)
    options = ("--all", "--catalog", folder / "two.toml", "--days", "20", "--until", "2026-03-18")
    options = ("seed", *options, "--database", f"sqlite:///{folder}/two.db")
    seeded = command(*options)
    assert seeded.returncode == 0, seeded.stderr
    return options, seeded.stdout


def test_several_organisations_end_with_a_table_the_slowest_first_and_a_total(two):
    _, printed = two
    title, head, first, second, total, *rest = printed.splitlines()
    assert title.endswith("the slowest first")
    assert head.split()[0] == "organisation"
    assert [line.split()[0] for line in (first, second, total)] == ["large", "small", "total"]
    rows = [int(line.split()[-3].replace(",", "")) for line in (first, second, total)]
    assert rows[2] == rows[0] + rows[1] > 100
    begin = f"{rows[2]:,} rows written, 0 unchanged, 2 organisations, in "
    assert [line for line in rest if line.startswith(begin)]


def test_the_time_of_an_organisation_is_that_of_its_own_tasks(two):
    options, _ = two
    report = json.loads(command(*options, "--json").stdout)
    times = [item["seconds"] for item in report["organisations"]]
    assert all(times)
    assert sum(times) <= report["seconds"]  # one thread did both, one after the other


def test_quiet_prints_errors_only(two, tmp_path):
    options, _ = two
    quiet = command(*options, "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert json.loads(command(*options, "--quiet", "--json").stdout)["failures"] == []
    wrong = command("seed", "polr", "-q", folder=tmp_path)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert command(*options).stdout  # the next command is not quiet


def test_verbose_prints_each_task_and_each_organisations_tables(two):
    options, _ = two
    verbose = command(*options, "-v")
    assert verbose.stdout.count("metrics_pullrequest ") == 3
    for task in ("large/pull_requests/0", "small/weekly/0"):
        assert f"tformance-seed: {task}: 0 rows written" in verbose.stderr
    assert "weekly" not in command(*options).stderr


def test_quiet_and_verbose_exclude_each_other(two):
    refused = command(*two[0], "-q", "-v")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_all_failures_are_listed_with_their_reasons():
    view = outcome(Outcome("run-1", [], {"a": "no space", "b": "gone"}), verbose=False)
    (table,) = [block for block in view.blocks if getattr(block, "title", "") == "Not done"]
    assert table.rows == [("a", "no space"), ("b", "gone")]
