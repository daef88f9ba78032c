import pytest

from tformance_seed.cli.tables import table


def shown(capsys: pytest.CaptureFixture[str], columns: tuple[str, ...], *rows: tuple) -> list[str]:
    table("Title", columns, rows)
    title, *lines, end = capsys.readouterr().out.split("\n")[:-1]
    assert (title, end) == ("Title", "")
    return lines


def test_words_stand_to_the_left_and_numbers_to_the_right(capsys):
    assert shown(capsys, ("name", "rows", "seconds"), ("a", 1234, 0.5), ("longer", 5, 12.25)) == [
        "name     rows  seconds",
        "a       1,234     0.50",
        "longer      5    12.25",
    ]


def test_a_column_of_numbers_may_have_gaps_but_no_words(capsys):
    assert shown(capsys, ("name", "done", "in hand"), ("a", "", 3), ("b", 10, "3 + 1 silent")) == [
        "name  done  in hand",
        "a           3",
        "b       10  3 + 1 silent",
    ]


def test_wide_characters_take_two_columns(capsys):
    assert shown(capsys, ("name", "rows"), ("東京", 1), ("abc", 22)) == [
        "name  rows",
        "東京     1",
        "abc     22",
    ]


def test_what_looks_like_markup_is_shown_as_it_is(capsys):
    assert shown(capsys, ("name",), ("[bold]x[/]",)) == ["name", "[bold]x[/]"]


def test_without_rows_the_head_is_shown(capsys):
    assert shown(capsys, ("name", "rows")) == ["name  rows"]
