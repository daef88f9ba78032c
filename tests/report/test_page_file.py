"""The page as a file: where it is written, and that it is written completely or not at all."""

import os
import resource
import subprocess
from pathlib import Path

import pytest

from tests.support.commands import argv, clean, command, command_process
from tests.support.reports import SLUGS, data_of_page, refusal
from tformance_seed import settings
from tformance_seed.errors import InputError
from tformance_seed.report import charts
from tformance_seed.report import page as report_page


def test_a_page_is_written_only_where_it_can_be(filled, tmp_path):
    notes = tmp_path / "notes.html"
    notes.write_text("<!doctype html><title>valuable notes</title>")
    assert "no folder" in refusal("--html", tmp_path / "none" / "page.html", "--database", filled)
    for there in (tmp_path, notes, Path("/dev/null")):
        assert "is not a page" in refusal("--html", there, "--database", filled)
    assert "valuable notes" in notes.read_text()
    assert list(tmp_path.iterdir()) == [notes]


def test_a_page_replaces_an_older_one_all_or_nothing(filled, tmp_path):
    page = tmp_path / "page.html"
    arguments = ("report", "--html", page, "--database", filled)
    assert command(*arguments, "acme").returncode == 0
    older = page.read_text()

    def limit_file_size():  # to less than the page's library alone has
        resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, 800_000))

    full = subprocess.run(
        argv(*arguments), capture_output=True, text=True, env=clean(), preexec_fn=limit_file_size, check=False
    )
    assert (full.returncode, full.stderr.count("\n")) == (2, 1), full.stderr
    assert page.read_text() == older
    result = command(*arguments)
    assert (result.returncode, str(page) in result.stdout) == (0, True)
    assert [row[0] for row in data_of_page(page.read_text())["organisations"]] == SLUGS
    assert list(tmp_path.iterdir()) == [page]
    umask = 0o666 & ~current_umask()
    assert page.stat().st_mode & 0o777 == umask


def current_umask():
    return int(
        next(line for line in Path("/proc/self/status").read_text().splitlines() if "Umask" in line)[6:], 8
    )


def test_without_the_extra_it_says_what_to_install(filled, tmp_path):
    (tmp_path / "altair.py").write_text("raise ImportError('as if it were not there')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    page = tmp_path / "page.html"
    refused = command_process("report", "--html", page, "--database", filled, PYTHONPATH=path)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
    assert "pip install 'tformance_seed[report]'" in refused.stderr
    assert command_process("report", "--database", filled, PYTHONPATH=path).returncode == 0


def test_every_chart_has_a_valid_specification(monkeypatch, filled, tmp_path):
    validated, packed = [], charts.Chart.packed

    def validate(chart, content):
        chart.drawing(chart.pivot(content)).to_dict(validate=True)
        validated.append(chart)
        return packed(chart, content)

    monkeypatch.setattr(charts.Chart, "packed", validate)
    assert command("report", "--html", tmp_path / "page.html", "--database", filled).returncode == 0
    assert validated == list(charts.CHARTS)


def test_without_a_home_folder_the_library_is_not_kept(monkeypatch):
    def has_none(_path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", has_none)
    monkeypatch.setattr(report_page.vl_convert, "javascript_bundle", lambda *_, **__: "made")
    assert report_page._library.__wrapped__() == "made"
    with pytest.raises(InputError, match="no home folder for caches; set XDG_CACHE_HOME"):
        settings.cache_folder()
