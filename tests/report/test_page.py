"""The page of the report in a real browser: what it shows, on which screens, to whom."""

import datetime
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.webdriver import Keys

from tests.support.browser import CONTRAST, SCREENS, Page
from tests.support.commands import command
from tests.support.databases import connect
from tests.support.recomputation import Recount
from tests.support.teams import Coherent
from tformance_seed.storage.models import TeamMember

pytestmark = pytest.mark.browser

SEED = ("--members", "30", "--prs", "400", "--days", "60", "--until", "2026-03-18", "--adoption", "0.6")
SLUGS = ["acme", "polar"]

#: A name that would run as a script if the page were careless.
NASTY = "</script><script>document.title = 'mine'</script>\\n|\u2028 'x' \"y\""

DAY, WEEK = datetime.timedelta(days=1), datetime.timedelta(days=7)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: A figure that is not known.
UNKNOWN = "\u2013"


@dataclass(frozen=True)
class Written:
    """A page that was written, and its database counted again."""

    path: Path
    recount: Recount
    report: dict


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def written(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    url = (
        f"sqlite:///{folder}/test.db"
        if request.param == "sqlite"
        else request.getfixturevalue("server").new_database()
    )
    assert command("seed", "polar", *SEED, "--database", url).returncode == 0
    database = connect(url)
    acme = Coherent(database)
    TeamMember.update(display_name=NASTY).where(TeamMember.id == acme.members[0].id).execute()
    result = command("report", "--html", folder / "page.html", "--json", "--database", url)
    assert result.returncode == 0, result.stderr
    yield Written(folder / "page.html", Recount.of_all(), json.loads(result.stdout))
    database.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_it_fits_every_screen_and_is_readable(browser, written, screen, theme):
    page = Page(browser, written.path, screen, theme)
    width, _ = SCREENS[screen]
    for details in page.all("summary"):
        page.run("arguments[0].parentElement.open = true", details)
    wide = page.run(
        "const { scrollWidth, clientWidth } = arguments[0]; return [scrollWidth, clientWidth]",
        page.find("html"),
    )
    assert wide[0] == wide[1]
    assert width - 20 < wide[1] <= width  # a desktop's scroll bar takes up some width
    assert page.run("return document.documentElement.dataset.theme") == theme
    texts = page.run(CONTRAST)
    assert len(texts) > 200
    assert [entry for entry in texts if entry[0] < 4.5] == []
    assert page.cut_off() == []
    for chart in page.charts():
        drawing, svg = page.find(f"#{chart} .drawing"), page.find(f"#{chart} svg")
        assert 0.9 * drawing.size["width"] < svg.size["width"] <= drawing.size["width"]


def test_it_makes_no_request_and_logs_no_message(browser, written):
    page = Page(browser, written.path)
    page.find("#theme").click()
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requested = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert requested == [written.path.as_uri()]
    assert browser.get_log("browser") == []
    assert "connect-src" not in page.find("meta[http-equiv]").get_attribute("content")  # default-src: none
    assert browser.title == f"tformance report: {written.report['database']['name']}"


def test_it_has_language_landmarks_labels_and_a_table_behind_each_chart(browser, written):
    page = Page(browser, written.path)
    assert page.find("html").get_attribute("lang") == "en"
    assert [len(page.all(name)) for name in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    for view in page.all("nav a"):
        view.click()
        for control in page.all("select, input, button, a, [role=region]"):
            assert control.accessible_name or not control.is_displayed()
    page.open("overview")
    assert len(page.charts()) == 8
    for chart in page.charts():
        assert page.find(f"#{chart} [role=graphics-document]").get_attribute("aria-label")
        assert page.all(f"#{chart} tbody tr")
        assert len(page.all(f"#{chart} thead th[scope=col]")) == len(page.table(chart)[0])


def test_a_table_opens_by_the_keyboard(browser, written):
    page = Page(browser, written.path)
    summary = page.find("#pull-requests summary")
    page.run("arguments[0].focus()", summary)
    page.press(Keys.ENTER)
    assert page.find("#pull-requests table").is_displayed()


def test_its_numbers_equal_a_recount_of_everything(browser, written):
    page = Page(browser, written.path)
    check(page, written.recount, f"in {len(SLUGS)} organisations")
    found = page.table("tables")
    assert [row["Table"] for row in found] == [table["table"] for table in written.report["tables"]]
    assert [row["Rows"] for row in found] == [f"{table['rows']:,}" for table in written.report["tables"]]
    assert [row["Organisation"] for row in page.table("organisations")] == SLUGS


def test_its_numbers_follow_the_organisation_and_the_period(browser, written):
    page = Page(browser, written.path)
    page.tab_to("organisation")
    page.press("polar")
    last = max(pull.week for pull in written.recount.pulls)
    page.choose("from", str(last - 4 * WEEK))
    page.choose("to", str(last - DAY))
    chosen = written.recount.of("polar").during(last - 4 * WEEK, last - WEEK)
    assert len(chosen.merged) > 50
    check(page, chosen, "of polar")
    assert "polar" in page.find("#shown").text


def test_a_page_of_an_empty_database_shows_no_figures_and_logs_no_message(browser, tmp_path):
    url = f"sqlite:///{tmp_path}/empty.db"
    assert command("init", "--database", url).returncode == 0
    assert command("report", "--html", tmp_path / "page.html", "--database", url).returncode == 0
    page = Page(browser, tmp_path / "page.html")
    assert page.figure("pull-requests") == ["0", "0 merged"]
    assert [chart for chart in page.charts() if not page.find(f"#{chart} .nothing").is_displayed()] == [
        "tables"
    ]
    assert browser.get_log("browser") == []


def test_an_empty_period_is_stated_and_not_drawn(browser, written):
    page = Page(browser, written.path)
    page.tab_to("organisation")
    page.press("acme")
    page.choose("from", "2026-02-02")  # acme's data ends a year before
    assert page.figure("pull-requests")[0] == "0"
    assert page.figure("cycle-time")[0] == UNKNOWN
    assert page.find("#cycle-time .nothing").is_displayed()
    assert not page.find("#cycle-time .drawing").is_displayed()
    assert browser.get_log("browser") == []


def test_the_theme_follows_the_system_until_the_switch_is_used(browser, written):
    page = Page(browser, written.path, theme="dark")
    colour = "return getComputedStyle(document.body).backgroundColor"
    dark = page.run(colour)
    page.tab_to("theme")
    page.press(Keys.SPACE)
    assert page.find("#theme").get_attribute("aria-checked") == "false"
    assert page.run(colour) != dark


def check(page: Page, recount: Recount, scope: str) -> None:
    """Compare all that follows the choice with a recount of what was chosen."""
    merged, all_pulls = recount.merged, recount.pulls
    with_ai = sum(pull.with_ai for pull in all_pulls)
    assert page.figure("members") == [f"{recount.members.total():,}", scope]
    assert page.figure("pull-requests")[:2] == [f"{len(all_pulls):,}", f"{len(merged):,} merged"]
    assert page.figure("with-ai")[:2] == [f"{with_ai / len(all_pulls):.1%}", f"{with_ai:,} pull requests"]
    assert page.figure("usage")[:2] == [f"{len(recount.usage):,}", "member-days"]
    for figure, name in (("cycle-time", "cycle"), ("first-review", "review")):
        hours = sorted(recount.hours(name))
        median, mean = (in_hours(text) for text in page.figure(figure)[:2])
        assert mean == pytest.approx(sum(hours) / len(hours), rel=0.03, abs=0.01)
        middle = (hours[(len(hours) - 1) // 2], hours[len(hours) // 2])
        assert middle[0] / 2**0.25 - 0.06 <= median <= middle[1] * 2**0.25 + 0.06

    weeks = Counter(pull.week for pull in merged)
    by_kind = Counter((pull.week, pull.with_ai) for pull in merged)
    span = [min(weeks) + WEEK * n for n in range((max(weeks) - min(weeks)) // WEEK + 1)]
    assert page.table("pull-requests") == [
        {
            "Week": format_day(week),
            "With AI": f"{by_kind[week, True]:,}",
            "Without AI": f"{by_kind[week, False]:,}",
            "All": f"{weeks[week]:,}",
        }
        for week in span
    ]
    assert page.table("ai-share") == [
        {"Week": format_day(w), "AI share": f"{by_kind[w, True] / weeks[w]:.1%}" if weeks[w] else UNKNOWN}
        for w in span
    ]
    for chart, name in (("cycle-time", "cycle"), ("review-time", "review")):
        assert [list(row.values())[1:] for row in page.table(chart)] == durations(recount, name)

    found = Counter((pull.week, tool) for pull in merged for tool in set(pull.tools))
    shown = [name for name in page.table("tools")[0] if name not in ("Week", "others")]
    for row, week in zip(page.table("tools"), span, strict=True):
        rest = sum(n for (when, tool), n in found.items() if when == week and tool not in shown)
        assert row == {"Week": format_day(week)} | {tool: str(found[week, tool]) for tool in shown} | (
            {"others": str(rest)} if "others" in row else {}
        )
        assert rest == 0 or "others" in row

    usage = Counter((WEEKDAYS[date.weekday()], source) for _, date, source in recount.usage)
    for row, weekday in zip(page.table("usage"), WEEKDAYS, strict=True):
        assert row == {"Weekday": weekday} | {
            source: f"{usage[weekday, source]:,}" for source in ("copilot", "cursor")
        }

    reviews = Counter((name, organisation) for organisation, _, name in recount.reviews)
    for row in page.table("reviewers"):
        assert row["Reviews"] == str(reviews[row["Reviewer"], row["Organisation"]])
    assert [int(row["Reviews"]) for row in page.table("reviewers")] == sorted(reviews.values(), reverse=True)[
        :10
    ]
    check_drawings(page)


def check_drawings(page: Page) -> None:
    """Compare the bars of charts with the tables behind them."""
    for chart, heading in (("pull-requests", "Week"), ("usage", "Weekday"), ("tools", "Week")):
        bars = Counter()
        for bar in page.drawn(chart):
            bars[bar["part"]] += int(bar["amount"].replace(",", ""))
        for name in bars:
            assert bars[name] == sum(int(row[name].replace(",", "")) for row in page.table(chart)), heading
        assert bars
    names = [bar["Reviews"] for bar in page.drawn("reviewers")]
    assert names == [row["Reviews"] for row in page.table("reviewers")]
    assert page.cut_off() == []


def durations(recount: Recount, name: str) -> list[list[str]]:
    """Counts with, without and all, by doublings of the hours from 1/32 to 512, and what is outside."""
    counts = Counter()
    for pull in recount.merged:
        if (value := getattr(pull, name)) is not None:
            row = math.floor(math.log2(value) + 5) + 1 if value > 0 else 0
            counts[min(max(row, 0), 15), pull.with_ai] += 1
    return [
        [
            f"{counts[row, True]:,}",
            f"{counts[row, False]:,}",
            f"{counts[row, True] + counts[row, False]:,}",
        ]
        for row in range(16)
    ]


def format_day(day: datetime.date) -> str:
    return f"{day.day} {day:%b %Y}"


def in_hours(text: str) -> float:
    *_, number, unit = text.split()
    return float(number) * {"min": 1 / 60, "h": 1, "days": 24}[unit]
