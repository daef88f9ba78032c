"""A command that a message names works when it is pasted, and shows no password."""

import re
import shlex
import sys
from unittest import mock

import pytest

from tests.support.access import add_membership, add_user, create_access_tables
from tests.support.commands import command
from tests.support.seeds import ORGANISATION, seed
from tformance_seed.cli import hints, options
from tformance_seed.errors import SeedError
from tformance_seed.storage.models import SeedTeam, Team

SMALL = ("--days", "3", "--prs", "5", "--members", "4", "--until", "2026-03-18")


@pytest.fixture(autouse=True)
def forgetful():
    hints.forget()
    yield
    hints.forget()


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("see: tformance-seed status", "see: tformance-seed status {}"),
        ("tformance-seed retry r1 --broker none", "tformance-seed retry r1 --broker none {}"),
        ("with `tformance-seed init` and again", "with `tformance-seed init {}` and again"),
        (
            "tformance-seed worker; or tformance-seed retry r1",
            "tformance-seed worker {}; or tformance-seed retry r1 {}",
        ),
        ("tformance-seed seed polar (and 2 more)", "tformance-seed seed polar {} (and 2 more)"),
        ("tformance-seed seed polar. What was", "tformance-seed seed polar {}. What was"),
        ("next:\n  tformance-seed verify\nopen it", "next:\n  tformance-seed verify {}\nopen it"),
        ("tformance-seed verify --database x", "tformance-seed verify --database x"),
        ("tformance-seed status, and more", "tformance-seed status {}, and more"),
        (
            "  tformance-seed clear a b --including 'Odd (table),x;y',notes",
            "  tformance-seed clear a b --including 'Odd (table),x;y',notes {}",
        ),
        ("tformance-seed orgs", "tformance-seed orgs"),
        ("tformance-seed: no such thing", "tformance-seed: no such thing"),
    ],
)
def test_the_database_is_added_at_the_end_of_a_command(text, completed):
    assert hints.complete(text) == text
    hints.remember("--database", "sqlite:///my data.db")
    assert hints.complete(text) == completed.replace("{}", "--database 'sqlite:///my data.db'")


def test_workers_need_the_broker_too():
    hints.remember("--broker", "redis://127.0.0.1/3")
    assert hints.complete("tformance-seed worker --queues llm") == (
        "tformance-seed worker --queues llm --broker redis://127.0.0.1/3"
    )
    assert hints.complete("tformance-seed status") == "tformance-seed status"


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@h/db", "redis://:secret@h/0", "postgresql://me:s@@h/db"]
)
def test_a_password_is_asked_for_and_not_shown(url):
    hints.remember("--database", url)
    assert hints.complete("tformance-seed verify") == "tformance-seed verify --database -"


def test_what_is_typed_at_a_terminal_is_the_url():
    with (
        mock.patch.object(sys.stdin, "isatty", return_value=True, create=True),
        mock.patch.object(sys.stderr, "isatty", return_value=True, create=True),
        mock.patch("getpass.getpass", return_value="sqlite:///typed.db\n") as asked,
    ):
        assert options._read_url("--database", "-") == "sqlite:///typed.db"
    asked.assert_called_once_with("--database: ")


def test_a_database_that_is_not_there_is_seeded_by_the_command_that_is_named(tmp_path):
    url = f"sqlite:///{tmp_path}/not there.db"
    refused = command("verify", "--database", url, folder=tmp_path)
    assert refused.returncode == 2
    (named,) = re.findall("tformance-seed seed .*", refused.stderr)
    assert command(*shlex.split(named)[1:], *SMALL).returncode == 0
    assert command("verify", "--database", url).returncode == 0


def test_the_next_command_needs_no_option_where_the_environment_names_the_database(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    for options_, environment in (((), {"DATABASE_URL": url}), (("--database", url), {})):
        seeded = command("seed", *SMALL, *options_, **environment)
        assert seeded.returncode == 0, seeded.stderr
        assert ("tformance-seed verify resend\n" in seeded.stdout) is bool(environment)


def test_the_options_that_decide_what_is_seeded_are_named(tmp_path):
    url = f"sqlite:///{tmp_path}/x.db"
    lost = SeedError("rows were removed; seed it again: tformance-seed seed polar")
    arguments = shlex.split("polar --scenario baseline --seed 7 --emails --source git --repo 'a b' --repo c")
    with mock.patch("tformance_seed.commands.seed.plan", side_effect=lost):
        failed = command("seed", *arguments, "--no-login", "--database", url)
    assert failed.stderr.rstrip().endswith(
        "seed it again: tformance-seed seed polar --source git --repo 'a b' --repo c --scenario baseline "
        f"--seed 7 --emails --database {url}"
    )


def test_clearing_what_others_added_is_a_command(database, url):
    create_access_tables(database)
    seed(database, days=3, prs=5, members=4)
    own = SeedTeam.get().team_id
    add_membership(database, own, add_user(database))
    cleared = command("clear", ORGANISATION, "--yes", "--database", url)
    named = cleared.stdout.split("next: remove those too\n  ")[1].strip()
    assert "--including teams_membership" in named
    assert command(*shlex.split(named)[1:], "--yes", answer=f"{url}\n").returncode == 0
    assert not Team.select().exists()
