"""Tables at any width: values stay whole, lines keep to the terminal, data controls nothing."""

import datetime
import re
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tformance_seed.cli.blocks import Table
from tformance_seed.cli.tables import lay_out, wrap
from tformance_seed.printable import printable

SLUG = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,49}", fullmatch=True)
DAY = st.dates(datetime.date(1999, 1, 1))
NUMBER = st.integers(-(10**12), 10**12) | st.floats(0, 1e9, allow_nan=False)
HOSTILE = st.text(
    st.sampled_from("a é東\x1b[31m\x07\n\r\t\x9b\x85\u202e\u2028\u200b\ud800\x7f🎉"), max_size=60
)
PROSE = st.lists(SLUG | HOSTILE, max_size=12).map(" ".join)

NAMES = ("organisation", "first day", "rows written", "name", "what would happen")
DISPENSABLE = ("name", "rows written", "first day")


def text_of(table, width):
    return [(line.label + line.text) for line in lay_out(table, width)]


def shown(value):
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(SLUG, DAY, NUMBER, HOSTILE, PROSE), min_size=1, max_size=6),
    st.integers(20, 200),
    st.text(max_size=80),
)
def test_no_value_is_broken_at_any_width(rows, width, title):
    table = Table(title, NAMES, rows, dispensable=DISPENSABLE, prose=["what would happen"])
    lines = text_of(table, width)
    text = "\n".join(lines)
    assert "…" not in text.replace(title, "")
    assert not [character for line in lines for character in line if unicodedata.category(character) == "Cc"]
    left_out = re.findall("not shown here: (.*); a wider", " ".join(lines))
    for slug, day, number, name, prose in rows:
        assert slug in text
        for column, value in zip(NAMES[1:4], (str(day), shown(number), printable(name).strip()), strict=True):
            assert value in text or any(column in names for names in left_out), (column, value)
        for word in printable(prose).split(" "):
            assert word in text
    values = {printable(row[3]).strip() for row in rows}
    for line in lines:  # only a value, or a word of a text, may be wider than the terminal
        assert cell_len(line) <= width or " " not in line.strip() or line.strip() in values, line


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(SLUG, DAY, NUMBER, HOSTILE, PROSE), max_size=3))
def test_in_a_pipe_every_row_is_one_line(rows):
    assert len(text_of(Table("title", NAMES, rows, prose=["what would happen"]), None)) == 2 + len(rows)


def test_headings_and_prose_go_on_below_before_columns_go():
    table = Table(
        "T",
        ("slug", "pull requests", "reason"),
        [("polar", 7, "another run is seeding this organisation at the moment")],
        dispensable=("pull requests",),
        prose=("reason",),
    )
    assert text_of(table, 50) == [
        "T",
        "slug       pull  reason",
        "       requests",
        "polar         7  another run is seeding this",
        "                 organisation at the moment",
    ]
    assert text_of(table, 36) == [
        "T",
        "slug   reason",
        "polar  another run is seeding this",
        "       organisation at the moment",
        "not shown here: pull requests; a",
        "wider terminal shows them",
    ]


def test_records_where_not_even_what_is_indispensable_fits():
    table = Table("T", ("slug", "day"), [("a" * 30, "2026-03-18"), ("b", "")], dispensable=("day",))
    assert text_of(table, 25) == ["T", "slug", "  " + "a" * 30, "day", "  2026-03-18", "", "slug", "  b"]
    table = Table("T", ("slug", "day"), [("a" * 16, "2026-03-18")])
    assert text_of(table, 22) == ["T", "slug  " + "a" * 16, "day   2026-03-18"]


@pytest.mark.parametrize("width", range(1, 30))
def test_wrapped_text_has_every_word_whole(width):
    text = "one twotwotwotwo three 東京東京 four"
    lines = wrap(text, width)
    assert " ".join(lines) == text
    assert all(cell_len(line) <= width or " " not in line for line in lines)
