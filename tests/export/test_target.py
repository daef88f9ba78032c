"""An export is written completely or not at all, and replaces nothing but an export."""

import errno
import json
from pathlib import Path
from unittest import mock

import pytest

from tests.support.commands import command
from tests.support.teams import add_team
from tformance_seed.export import csv_files, sql_script

FORMS = ("csv", "parquet", "sql")


def export(sources, form, target, *more):
    url = sources.urls["sqlite"]
    return command("export", "acme", "--format", form, "--to", target, *more, DATABASE_URL=url)


def refused(result):
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
    return result.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("form", FORMS)
def test_an_export_is_replaced_only_if_told_to(sources, tmp_path, form):
    target = tmp_path / "out"
    assert export(sources, form, target).returncode == 0
    before = files(tmp_path)
    assert "--replace" in refused(export(sources, form, target))
    assert files(tmp_path) == before
    other = command(
        "export", "--format", form, "--to", target, "--replace", DATABASE_URL=sources.urls["sqlite"]
    )
    assert other.returncode == 0, other.stderr
    assert files(tmp_path).keys() == before.keys()
    assert files(tmp_path) != before
    assert export(sources, form, target, "--replace").returncode == 0
    assert files(tmp_path) == before


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_folder_of_something_else_is_never_touched(sources, tmp_path, form):
    target = tmp_path / "out"
    assert export(sources, form, target).returncode == 0
    (target / "mine.txt").write_text("mine")
    before = files(tmp_path)
    assert "something other than an export" in refused(export(sources, form, target, "--replace"))
    (target / "mine.txt").unlink()
    (target / "export.json").write_text("[]")
    assert "something other than an export" in refused(export(sources, form, target, "--replace"))
    assert before.keys() - files(tmp_path).keys() == {"out/mine.txt"}


def test_a_file_of_something_else_is_never_touched(sources, tmp_path):
    (tmp_path / "out.sql").write_text("-- mine")
    assert "something other" in refused(export(sources, "sql", tmp_path / "out.sql", "--replace"))
    assert files(tmp_path) == {"out.sql": b"-- mine"}


def test_an_empty_folder_is_filled(sources, tmp_path):
    (tmp_path / "out").mkdir()
    assert export(sources, "csv", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "export.json").exists()


@pytest.mark.parametrize("form", FORMS)
def test_a_link_is_followed(sources, tmp_path, form):
    (tmp_path / "elsewhere").mkdir()
    assert export(sources, form, tmp_path / "elsewhere" / "real").returncode == 0
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "real")
    before = files(tmp_path / "elsewhere")
    assert "--replace" in refused(export(sources, form, tmp_path / "link"))
    assert export(sources, form, tmp_path / "link", "--replace").returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "link"}
    assert files(tmp_path / "elsewhere") == before


def test_the_current_folder_is_not_replaced(sources, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "is the folder that you are in" in refused(export(sources, "csv", "."))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_name_that_is_too_long_is_said_so(sources, tmp_path, form):
    result = export(sources, form, tmp_path / ("x" * 300))
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert "name too long" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("form", "target", "words"),
    [
        ("csv", "missing/out", "there is no folder"),
        ("sql", "missing/out.sql", "there is no folder"),
        ("csv", "file", "is not a folder"),
        ("sql", "folder", "is not a file"),
        ("csv", "-", "add --to FOLDER"),
        ("xml", "out", "--format xml: no such format; expected one of csv, parquet, sql"),
    ],
)
def test_wrong_places_are_refused_in_one_line(sources, tmp_path, form, target, words):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    place = target if target == "-" else tmp_path / target
    assert words in refused(export(sources, form, place))
    assert files(tmp_path) == {"file": b""}


def test_what_is_missing_is_said(sources, tmp_path):
    url = sources.urls["sqlite"]
    assert "--format is missing" in refused(command("export", DATABASE_URL=url))
    assert "add --to FOLDER" in refused(command("export", "--format", "csv", DATABASE_URL=url))
    result = command("export", "--format", "sql", "--json", DATABASE_URL=url)
    assert "add --to FILE" in json.loads(result.stdout)["error"]["message"]
    unknown = command("export", "nobody", "--format", "sql", DATABASE_URL=url)
    assert "no team nobody" in refused(unknown)
    with mock.patch.dict("sys.modules", {"pyarrow": None, "tformance_seed.export.parquet_files": None}):
        assert "tformance_seed[parquet]" in refused(export(sources, "parquet", tmp_path / "out"))


@pytest.mark.parametrize(("form", "writer"), [("csv", csv_files.CsvFiles), ("sql", sql_script.SqlScript)])
@pytest.mark.parametrize("exists", [False, True])
def test_nothing_is_left_where_the_disk_is_full(sources, tmp_path, form, writer, exists):
    target = tmp_path / "out"
    if exists:
        assert export(sources, form, target).returncode == 0
    before = files(tmp_path)
    write, calls = writer.write, []

    def full(self, model, columns):
        calls.append(model)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, model, columns)

    with mock.patch.object(writer, "write", full):
        result = export(sources, form, target, "--replace")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "No space left on device; nothing was written there" in result.stderr
    assert files(tmp_path) == before


def test_nothing_is_left_of_an_interrupted_export(sources, tmp_path):
    with mock.patch.object(csv_files.CsvFiles, "close", side_effect=KeyboardInterrupt):
        result = export(sources, "csv", tmp_path / "out")
    assert result.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_an_adopted_team_is_left_out_and_said_so(database, url, tmp_path):
    add_team("acme")
    small = ("--days", "5", "--until", "2026-03-18", "--database", url)
    assert command("seed", "resend", *small).returncode == 0
    catalog = tmp_path / "own.toml"
    catalog.write_text('[acme]\nname = "Acme"\nmembers = 3\n')
    assert command("seed", "acme", "--catalog", catalog, "--adopt", *small).returncode == 0
    result = command("export", "--format", "csv", "--to", tmp_path / "out", "--json", "--database", url)
    printed = json.loads(result.stdout)
    assert [each["organisation"] for each in printed["organisations"]] == ["resend"]
    assert ["acme is left out" in note for note in printed["notes"]] == [True]
    assert "was adopted" in refused(command("export", "acme", "--format", "sql", "--database", url))


def test_an_unfinished_organisation_is_refused(url, tmp_path):
    small = ("--days", "5", "--until", "2026-03-18", "--database", url)
    assert command("seed", "resend", *small).returncode == 0
    with mock.patch("tformance_seed.ledger.unfinished_organisations", return_value={"resend"}):
        result = command("export", "--format", "csv", "--to", tmp_path / "out", "--database", url)
    assert "resend: a run is unfinished" in refused(result)
    assert not (tmp_path / "out").exists()
