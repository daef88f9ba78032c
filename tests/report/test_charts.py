"""The registry of charts: a chart is one entry, and everything on the page follows from it."""

import datetime
import html
import json
from collections import Counter
from pathlib import Path

import pytest
import vl_convert
from peewee import fn

from tests.support.browser import Page
from tests.support.reports import SLUGS, data_of_page
from tformance_seed.metrics.weekly import monday_of
from tformance_seed.report import charts, drawings, gather, page
from tformance_seed.report.charts import Chart
from tformance_seed.report.daily.counts import Counts, day_of
from tformance_seed.report.pivot import Pivot, Sum, phrase, weeks
from tformance_seed.report.pivots.shared import COLOURS, OTHERS, assign_colours
from tformance_seed.storage.models import Commit, Team


def commits(database, teams):
    day = day_of(database, Commit.committed_at)
    query = Commit.select(Commit.team, day, fn.COUNT(Commit.id)).where(Commit.team.in_(teams))
    return Counts({}, ("count",), list(query.group_by(Commit.team, day).tuples().execute(database)))


#: Describes every chart that follows the reader's choice.
DESCRIPTION = Path(__file__).parents[2] / "docs" / "reference" / "charts.md"

COMMITS = Chart(
    name="commits",
    title="Commits by week",
    caption="In the week of the commit.",
    counted="commits",
    group="Commits",
    query=commits,
    pivot=lambda content: Pivot(
        columns={"Week": "week", "Commits": "count"},
        rows=weeks(content),
        by="week",
        figures={"Commits": Sum()},
        colours={"Commits": "var(--tool-1)"},
        words=phrase("{} commits", "Commits"),
    ),
    drawing=drawings.stacked_by_week,
)


@pytest.fixture
def page_with_commits(reader, tmp_path, monkeypatch):
    """A page for whose registry a test has one entry more."""
    monkeypatch.setattr(charts, "CHARTS", (*charts.CHARTS, COMMITS))
    path = tmp_path / "page.html"
    page.write(path, reader, gather(reader, (), exact=True))
    return path


def commits_by_week() -> Counter[datetime.date]:
    return Counter(monday_of(commit.committed_at.date()) for commit in Commit.select())


def test_an_entry_in_the_registry_is_a_chart_on_the_page_with_its_data(page_with_commits, reader):
    html = page_with_commits.read_text()
    assert '<figure class="card" id="commits"' in html
    assert "Commits by week" in html
    data = data_of_page(html)
    chart, series = data["charts"]["commits"], json.loads(data["series"]["commits"])
    assert chart["table"]["rows"] == {"Week": data["mondays"]}
    assert series["dimensions"] == {"organisation": len(SLUGS), "day": 7 * len(data["mondays"])}
    assert sum(series["sums"]["count"]) == Commit.select().count()
    assert Team.select().count() == len(SLUGS)
    rows = [{"monday": "2026-01-05", "Commits": 7, "says": "7 commits"}]
    drawn = vl_convert.vegalite_to_svg({**chart["spec"], "datasets": {"rows": rows}, "width": 200})
    assert "part: Commits" in drawn


@pytest.mark.browser
def test_an_entry_in_the_registry_is_drawn_with_the_table_behind_it(browser, page_with_commits):
    shown = Page(browser, page_with_commits)
    assert shown.charts()[-2:] == ["commits", "tables"]
    counts = commits_by_week()
    table = {row["Week"].removesuffix(" (partial)"): row["Commits"] for row in shown.table("commits")}
    assert {week: count for week, count in table.items() if count != "0"} == {
        f"{week.day} {week:%b %Y}": f"{count:,}" for week, count in counts.items()
    }
    drawn = sum(int(bar["amount"].replace(",", "")) for bar in shown.drawn("commits"))
    assert drawn == sum(counts.values())
    assert browser.get_log("browser") == []


def test_names_of_charts_are_unique():
    names = [chart.name for chart in charts.CHARTS]
    assert len(set(names)) == len(names)


def test_every_chart_of_a_choice_is_described():
    tables = [part for part in DESCRIPTION.read_text().split("\n\n") if part.startswith("| chart ")]
    rows = [line.split("|")[1] for table in tables for line in table.splitlines()]
    names = {name.strip() for row in rows for name in row.split(",")}
    assert {chart.title for chart in charts.CHARTS if chart.query} == names - {"chart", "---"}


def test_sources_of_usage_get_colours_before_detected_tools():
    colours = assign_colours(["cursor"], ["copilot", "cursor"])
    assert colours == {"cursor": "var(--tool-1)", "copilot": "var(--tool-2)"}


def test_tools_without_a_colour_of_their_own_share_one():
    tools = [f"tool-{number}" for number in range(len(COLOURS) + 2)]
    colours = assign_colours([], tools)
    assert list(colours) == [*tools[: len(COLOURS)], OTHERS]


@pytest.mark.parametrize("name", ["Week", "says", "__proto__", "constructor", "123"])
def test_a_tool_that_would_take_the_place_of_something_else_is_among_the_others(name):
    assert list(assign_colours([], ["claude", name])) == ["claude", OTHERS]


@pytest.mark.parametrize("name", ["claude.ai", "a[b]", "'a", '"a', "a'b\"", "a\\", "a\\.b"])
def test_a_name_that_looks_like_a_path_is_one_name_in_a_chart(name):
    chart = drawings.stacked_bars({name: "red", "other": "green"}).encode(x="week:N", y="sum(amount):Q")
    row = {"week": "w", name: 5, "other": 3}
    drawn = vl_convert.vegalite_to_svg({**chart.to_dict(), "data": {"values": [row]}, "width": 200})
    assert f"Sum of amount: 5; part: {name}" in html.unescape(drawn)
    assert "Sum of amount: 3; part: other" in drawn
