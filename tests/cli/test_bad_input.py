"""Wrong input is refused in one line on standard error, and nothing is written."""

import pytest

from tests.support.commands import command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[acme]\nname = "A"\nmembres = 3\n', ":3: [acme] has an unknown key membres; did you mean members?"),
        ('[acme]\nname = "A"\n\nmembers = -3\n', ":4: [acme] members = -3: expected a whole number"),
        ("[acme]\nmembers = 3\n", ":1: [acme] has no key name"),
        (
            '[acme]\nname = "A"\nai_adoption_rate = 45\n',
            ":3: [acme] ai_adoption_rate = 45: expected a number from 0",
        ),
        ('[Acme Rockets]\nname = "A"\n', "not TOML"),
        ('["Acme Rockets"]\nname = "A"\n', ":1: [Acme Rockets] is not a slug"),
        ('name = "A"\n', ":1: name is outside a table"),
        ("", "contains no organisation"),
        ('[acme]\nname = "A"\nrepos = ["noslash"]\n', ":3: [acme] repos ="),
    ],
)
def test_a_malformed_catalogue_names_file_line_and_key(tmp_path, text, words):
    path = tmp_path / "own.toml"
    path.write_text(text)
    result = command("seed", "--catalog", path, "--database", f"sqlite:///{tmp_path}/x.db")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert str(path) in result.stderr
    assert words in result.stderr
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("seed", "polr"),
        ("seed", "--days", "0"),
        ("seed", "--days", "many"),
        ("seed", "--until", "2026-02-30"),
        ("seed", "--days", "99999999999"),
        ("seed", "--members", "-1"),
        ("seed", "--repo", "/nonexistent/clone"),
        ("seed", "--nonsense"),
        ("nonsense",),
        ("seed", "--database", "mysql://root@localhost/x"),
        ("seed", "--database", "postgresql://me:hunter2@127.0.0.1:1/x"),
        ("seed", "--database", "postgresql://me:hunter2@127.0.0.1:port/x"),
        ("seed", "--database", "postgresql://me:hun@hunter2@127.0.0.1:1/x"),
        ("seed", "--database", "host=127.0.0.1 port=1 password=hunter2"),
        ("seed", "--database", "postgres:me:hunter2@127.0.0.1/x"),
        ("seed", "--database", "postgresql:///x?password=hunter2%"),
        ("seed", "--database", "postgresql://me:hun/hunter2@127.0.0.1:1/x"),
        ("seed", "--database", "postgresql://me:12?hunter2@127.0.0.1:1/x"),
        ("seed", "--database", "postgresql:/me:hunter2@127.0.0.1:1/x"),
        ("seed", "--database", "-"),
        ("seed", "--database", "sqlite:///a#b.db"),
        ("seed", "--database", "sqlite:////dev/null"),
        ("seed", "--members", "99999999999999999999999"),
        ("seed", "--members", "1000001"),
        ("seed", "--prs", "99999999999999999999999"),
        ("weekly",),
        ("weekly", "absent"),
        ("clear", "resend"),
        ("seed", "--database", "sqlite:////nonexistent/folder/x.db"),
        ("seed", "--database", "sqlite:///:memory:"),
        ("verify", "--database", "sqlite:////nonexistent/folder/x.db"),
        ("clear", "absent", "--yes"),
        ("weekly", "--days", "0"),
        ("orgs", "--catalog", "/nonexistent.toml"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, arguments):
    result = command(*arguments, folder=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but valuable to its owner\n" * 100)
    result = command("seed", "--database", f"sqlite:///{path}")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "not a database" in result.stderr
    assert path.read_text().startswith("not a database, but valuable")
