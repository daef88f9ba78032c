"""A report on a terminal, in Markdown and as JSON: the same figures, and nothing is written."""

import re

import peewee
import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.reports import SLUGS, refusal, report
from tests.support.teams import add_team
from tformance_seed.report import sections
from tformance_seed.storage.transactions import snapshot


def test_the_sum_of_expected_usage_is_in_its_title(filled):
    title = next(
        line
        for line in command("report", "polar", "--database", filled).stdout.splitlines()
        if "0.85" in line
    )
    (usage,) = report(filled, "polar")["usage"]
    assert f"{usage['formula_rows']:,.0f} rows in all; there are {usage['rows']:,}" in title
    assert "in all" not in command("report", "--database", filled).stdout


def test_every_form_has_the_same_figures(filled):
    values = report(filled, "--exact")
    terminal = command("report", "--exact", "--database", filled).stdout
    document = command("report", "--exact", "--markdown", "--database", filled).stdout
    lines = [re.split(r"\s{2,}", line.strip()) for line in terminal.splitlines()]
    rows = [line.strip("| ").split(" | ") for line in document.splitlines() if line.startswith("|")]
    cells = [row for row in rows if not row[0].startswith("---")]
    volatile = {"cache hit ratio", "connections", "active connections"}
    headings_of_numbers = [row for row in cells if row[0] not in volatile]
    assert len(headings_of_numbers) > len(values["tables"])
    assert [
        row for row in headings_of_numbers if row not in lines and " ".join(row) not in map(" ".join, lines)
    ] == []
    for columns, name in (
        (sections.TABLES, "tables"),
        (sections.ORGANISATIONS, "organisations"),
        (sections.USAGE, "usage"),
    ):
        for item in values[name]:
            assert [format_value(column, item[column.attribute]) for column in columns] in cells


def format_value(column: sections.Column, value):
    """Return a JSON value in the format of its column."""
    if value is None:
        return sections.UNKNOWN
    return value[:10] if column.format is sections.format_day else column.format(value)


def test_lines_in_a_pipe_are_plain_and_unbroken(filled):
    lines = command("report", "--database", filled, COLUMNS="40").stdout.splitlines()
    assert not any("\x1b" in line for line in lines)
    for slug in SLUGS:
        assert sum(line.startswith(slug) for line in lines) == 2
    assert max(map(len, lines)) <= 160


def test_nothing_can_be_written_while_it_reads(filled):
    database = connect(filled, access="read")
    with snapshot(database), pytest.raises(peewee.PeeweeException, match=r"read-?only"):
        add_team("intruder")
    database.close()


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",), ("--exact",), ("--html", "page.html")])
def test_an_applications_database_may_be_empty(application_url, tmp_path, form):
    result = command("report", *form, "--database", application_url, folder=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_forms_that_do_not_go_together_are_refused(filled):
    assert "choose one" in refusal("--json", "--markdown", "--database", filled)


def test_a_page_can_be_had_along_with_another_form(filled, tmp_path):
    found = report(filled, "--html", tmp_path / "page.html")
    assert [item["organisation"] for item in found["organisations"]] == SLUGS
    assert (tmp_path / "page.html").exists()
