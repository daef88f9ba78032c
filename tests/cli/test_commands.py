"""What each command does and prints, read by exit status and output."""

import json
import sqlite3

from tests.support.commands import command
from tests.support.json_output import by_table
from tests.support.workers import digests

SMALL = ("resend", "--days", "20", "--until", "2026-03-18")


def test_seed_without_arguments_fills_a_file_and_suggests_the_next_command(tmp_path):
    result = command("seed", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "tformance-seed: writing to sqlite:///tformance.db, from the default\n"
    assert "tformance-seed verify" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["tformance.db"]
    with sqlite3.connect(tmp_path / "tformance.db") as connection:
        assert connection.execute("SELECT count(*) FROM metrics_pullrequest").fetchone()[0] > 100


def test_json_is_one_object_with_rows_by_table(url):
    result = command("seed", *SMALL, "--database", url, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["run"]
    assert [item["organisation"] for item in report["organisations"]] == ["resend"]
    files = by_table(report)["metrics_prfile"]
    assert files["rows_written"] > 100
    assert files["rows_unchanged"] == 0
    assert files["seconds"] >= 0
    again = json.loads(command("seed", *SMALL, "--database", url, "--json").stdout)
    assert by_table(again)["metrics_prfile"]["rows_unchanged"] == files["rows_written"]
    assert sum(table["rows_written"] for table in again["tables"]) == 0


def test_environment_names_the_database(sqlite_url):
    assert command("seed", *SMALL, DATABASE_URL=sqlite_url).returncode == 0
    assert "resend" in command("verify", DATABASE_URL=sqlite_url).stdout


def test_verify_exits_1_where_data_is_inconsistent(sqlite_url, tmp_path):
    command("seed", *SMALL, "--database", sqlite_url)
    with sqlite3.connect(tmp_path / "cli.db") as connection:
        connection.execute("UPDATE metrics_weeklymetrics SET prs_merged = prs_merged + 1 WHERE id = 1")
    result = command("verify", "--database", sqlite_url)
    assert result.returncode == 1
    assert "metrics_weeklymetrics" in result.stdout
    assert result.stderr.count("\n") == 1
    assert command("weekly", "--database", sqlite_url).returncode == 0
    assert command("verify", "--database", sqlite_url).returncode == 0


def test_dry_run_writes_nothing_not_even_the_file(sqlite_url, tmp_path):
    result = command("seed", *SMALL, "--database", sqlite_url, "--dry-run", "--json")
    assert result.returncode == 0, result.stderr
    (preview,) = json.loads(result.stdout)["organisations"]
    assert preview["organisation"] == "resend"
    assert preview["pull_requests"] > 10
    assert preview["action"] == "new"
    assert list(tmp_path.iterdir()) == []
    command("seed", *SMALL, "--database", sqlite_url)
    before = (tmp_path / "cli.db").read_bytes()
    again = command("seed", *SMALL, "--seed", "7", "--database", sqlite_url, "--dry-run", "--json")
    assert "start over" in json.loads(again.stdout)["organisations"][0]["action"]
    assert (tmp_path / "cli.db").read_bytes() == before


def test_clear_asks_first_and_removes_what_was_seeded(sqlite_url):
    command("seed", *SMALL, "--database", sqlite_url)
    refused = command("clear", "resend", "--database", sqlite_url, answer="n\n")
    assert (refused.returncode, "nothing was written or removed" in refused.stderr) == (1, True)
    assert digests(sqlite_url)
    assert command("clear", "resend", "--database", sqlite_url, "--yes").returncode == 0
    empty = command("verify", "--database", sqlite_url)
    assert (empty.returncode, "nothing was seeded" in empty.stderr) == (2, True)


def test_orgs_lists_the_catalogue_or_a_custom_one(tmp_path):
    assert "100 organisations" in command("orgs").stdout
    own = tmp_path / "own.toml"
    own.write_text('[acme]\nname = "Acme"\nmembers = 3\n')
    report = json.loads(command("orgs", "--catalog", own, "--json").stdout)
    assert [(each["organisation"], each["members"]) for each in report["organisations"]] == [("acme", 3)]
    seeded = command("seed", "--catalog", own, "--database", f"sqlite:///{tmp_path}/x.db", "--json")
    assert json.loads(seeded.stdout)["organisations"][0]["members"] == 3


def test_scenarios_are_seeded_by_name(sqlite_url):
    result = command(
        "seed", "--scenario", "ai-success", "--until", "2026-03-18", "--database", sqlite_url, "--json"
    )
    assert result.returncode == 0, result.stderr
    (report,) = json.loads(result.stdout)["organisations"]
    assert (report["organisation"], report["members"]) == ("ai-success", 5)
    assert (report["since"], report["until"]) == ("2026-01-19", "2026-03-15")
    assert command("verify", "--database", sqlite_url).returncode == 0
