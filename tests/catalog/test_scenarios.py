"""A scenario is a table of a TOML file and nothing else."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tformance_seed
from tests.support.commands import command
from tformance_seed.catalog import load_scenarios, scenarios
from tformance_seed.errors import InputError

NEW_SCENARIO = """
[quiet-summer]
point = "fewer pull requests, all of them good"
members = 4
prs_per_member_week = [1, 2]
ai_adoption_rate = [0.50, 0.25]
cycle_hours = 30
review_hours = 10
quality = 2.9
revert_rate = 0.01
ci_pass_rate = [0.90, 0.99]
"""


@pytest.fixture
def scenarios_file(tmp_path, monkeypatch):
    """A copy of the built-in file, which the package reads instead of it."""
    file = tmp_path / "scenarios.toml"
    file.write_text(scenarios.SCENARIOS_FILE.read_text("utf-8"), "utf-8")
    monkeypatch.setattr(scenarios, "SCENARIOS_FILE", file)
    return file


def test_a_table_is_all_that_a_scenario_needs(scenarios_file, tmp_path):
    with scenarios_file.open("a") as stream:
        stream.write(NEW_SCENARIO)
    listed = json.loads(command("orgs", "--json").stdout)["scenarios"]
    assert "fewer pull requests, all of them good" in [each["point"] for each in listed]

    database = f"sqlite:///{tmp_path}/x.db"
    options = ("--scenario", "quiet-summer", "--until", "2026-03-18", "--database", database, "--json")
    assert "quiet-summer" in command("seed", *options, "--dry-run").stdout
    seeded = command("seed", *options)
    assert seeded.returncode == 0, seeded.stderr
    report = json.loads(command("verify", "--database", database, "--json").stdout)
    (verified,) = report["organisations"]
    assert (verified["organisation"], verified["violations"]) == ("quiet-summer", [])
    inspected = json.loads(command("report", "--database", database, "--json").stdout)
    (usage,) = inspected["usage"]
    assert usage["members"] == 4
    assert usage["adoption"] == pytest.approx(np.linspace(0.50, 0.25, 8).mean(), abs=0.03)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("quality = 2.9", "qualty = 2.9", "quiet-summer: unknown key qualty; known keys: name, point"),
        ("quality = 2.9\n", "", "quiet-summer: missing key quality"),
    ],
)
def test_a_misspelt_table_is_an_input_error(scenarios_file, before, after, message):
    scenarios_file.write_text(NEW_SCENARIO.replace(before, after), "utf-8")
    with pytest.raises(InputError, match=message):
        load_scenarios()


def test_no_code_names_a_scenario():
    root = Path(tformance_seed.__file__).parent
    code = "\n".join(file.read_text("utf-8") for file in root.rglob("*.py"))
    for name in load_scenarios():
        assert not re.search(rf"[\"'`]{name}[\"'`]", code), name


def test_a_ramp_is_a_straight_line():
    ramp = scenarios.Ramp(10, 24)
    assert ramp.at(np.arange(8) / 7).tolist() == pytest.approx([10, 12, 14, 16, 18, 20, 22, 24])
