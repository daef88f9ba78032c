"""Whatever data, files and servers say, no command lets it control the terminal."""

import logging
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.commands import command
from tests.support.seeds import ORGANISATION, seed
from tests.support.teams import add_team
from tformance_seed.cli import console
from tformance_seed.execution.log_format import JSONFormatter, TextFormatter
from tformance_seed.printable import JOINERS, printable
from tformance_seed.storage.models import SeedTask, SeedTeam, Team

CLI = Path(console.__file__).parent

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\x85\r\nfalse: line\u202egnp.exe\u2066\u200b\u2028\x7f"


def harmless(text):
    """Whether a text has line breaks, but nothing else that controls a terminal."""
    shown = text.replace("\n", "")
    return not [
        each
        for each in shown
        if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp", "Cs") and each not in JOINERS
    ]


@given(st.text())
def test_what_is_printable_is_one_harmless_line_that_keeps_everything_visible(text):
    shown = printable(text)
    assert harmless(shown)
    assert "\n" not in shown
    assert printable(shown) == shown
    visible = [each for each in text if unicodedata.category(each)[0] in "LNPSM" and each != "\\"]
    assert [each for each in visible if each not in shown] == []


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hostile(request, tmp_path_factory):
    """The URL of a database in which names, a team and reasons of failures are hostile."""
    from tests.support.databases import connect
    from tformance_seed.storage.schema.create import create_missing

    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('hostile')}/test.db"
    else:
        url = request.getfixturevalue("server").new_database("package")
    database = connect(url)
    create_missing(database)
    seed(database, days=3, prs=5, members=4)
    hidden = HOSTILE.replace("\x00", "")
    Team.update(name=hidden[:100]).execute()
    SeedTask.update(reason=hidden, state="failed").where(SeedTask.stage == "weekly").execute()
    SeedTeam.update(team_slug=hidden[:50]).execute()
    Team.update(slug=hidden[:50]).execute()
    add_team("x\x1b[31m\u202ey")
    database.close()
    return url


COMMANDS = [
    ("status",),
    ("status", "--all"),
    ("runs",),
    ("report",),
    ("report", "--markdown"),
    ("report", "x\x1b[31m\u202ey"),
    ("verify",),
    ("verify", HOSTILE),
    ("doctor",),
    ("doctor", "--sql"),
    ("weekly", HOSTILE),
    ("clear", ORGANISATION),
    ("seed", HOSTILE),
    ("seed", "--scenario", HOSTILE),
    ("seed", "--until", HOSTILE),
    ("seed", "--days", HOSTILE),
    ("seed", "--repo", "nowhere\x1b[31m\u202e"),
    ("seed", "--catalog", "nowhere\x1b[31m\u202e.toml"),
    ("seed", f"--{HOSTILE}"),
    ("orgs", HOSTILE),
    ("preview", HOSTILE),
    ("status", HOSTILE),
    ("retry", HOSTILE),
    (HOSTILE,),
]


@pytest.mark.parametrize("as_json", [False, True], ids=["people", "json"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=ascii)
def test_no_command_prints_what_controls_a_terminal(hostile, arguments, as_json):
    more = ("--json",) if as_json and "--markdown" not in arguments and "--sql" not in arguments else ()
    result = command(*arguments, *more, DATABASE_URL=hostile, answer="n\n")
    assert harmless(result.stdout)
    assert harmless(result.stderr)
    assert "false: line" not in [line.strip() for line in (result.stdout + result.stderr).splitlines()]


def test_a_catalogue_is_shown_harmlessly(tmp_path):
    (tmp_path / "own.toml").write_text('[acme]\nname = "A\\u001b[31m\\u202e\\nB"\nindustry = "\\u009b"\n')
    shown = command("orgs", "--catalog", tmp_path / "own.toml")
    assert (shown.returncode, harmless(shown.stdout)) == (0, True)
    assert "A\\x1b[31m\\u202e\\nB" in shown.stdout


@pytest.mark.parametrize("formatter", [TextFormatter("%(levelname)s %(message)s"), JSONFormatter()])
def test_logs_of_workers_are_harmless(formatter):
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        told = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed: %s", (HOSTILE,), told)
    assert harmless(formatter.format(record))


def test_nothing_is_printed_but_where_texts_are_made_harmless():
    printing = [
        path.name
        for path in CLI.rglob("*.py")
        if any(word in path.read_text() for word in ("typer.echo(", "print(f", "print(text", "stdout.write("))
    ]
    assert sorted(printing) == ["answer.py", "console.py"]
