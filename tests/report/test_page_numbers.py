"""What the page of the report shows in a real browser equals a recount of the rows, chart by chart."""

import datetime
import math
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.support.wait import WebDriverWait

from tests.support.browser import Page
from tests.support.recomputation import Recount, week_of
from tests.support.reports import NASTY, SLUGS
from tests.support.story import UNKNOWN, WEEK, Story

pytestmark = pytest.mark.browser

DAY = datetime.timedelta(days=1)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: The greatest error of a median, as a factor: the width of a bin.
BIN = 2**0.25

#: Compares the table behind a chart with what is expected of each week.
Compare = Callable[[str, Callable[[datetime.date], dict[str, object]]], None]

#: The first and the last day that the charts show.
Extent = tuple[datetime.date, datetime.date]


def test_its_numbers_equal_a_recount_of_everything(browser, written):
    page = Page(browser, written.path)
    shown = extent(written)
    check_headline(page, written.recount, f"in {len(SLUGS)} organisations")
    check_charts(page, written.recount, shown)
    check_story(page, written.story, shown)
    check_drawings(page)
    found = page.table("tables")
    assert [row["Table"] for row in found] == [table["table"] for table in written.report["tables"]]
    rows = [table["rows"] for table in written.report["tables"]]  # of tables of others they are unknown
    assert [row["Rows"] for row in found] == [UNKNOWN if count is None else f"{count:,}" for count in rows]
    assert [row["Organisation"] for row in page.table("organisations")] == SLUGS


def test_its_numbers_follow_the_organisation_and_the_period(browser, written):
    page = Page(browser, written.path)
    page.tab_to("organisation")
    page.press("polar")
    last = max(pull.day for pull in written.recount.pulls if pull.merged)
    since, until = week_of(last) - 4 * WEEK + 2 * DAY, week_of(last) - DAY
    page.choose("from", str(since))
    page.choose("to", str(until))
    chosen = written.recount.of("polar").during(since, until)
    assert len(chosen.merged) > 50
    check_headline(page, chosen, "of polar")
    check_charts(page, chosen, (since, until))
    check_story(page, written.story.of("polar").during(since, until), (since, until))
    check_drawings(page)
    assert page.table("pull-requests")[0]["Week"].endswith("2026 (partial)")
    assert not page.table("pull-requests")[-1]["Week"].endswith("(partial)")
    assert "polar" in page.find("#shown").text


def test_the_busiest_reviewers_stay_in_order_when_something_else_is_chosen(browser, written):
    page = Page(browser, written.path)
    page.choose("organisation", "polar")
    last = week_of(max(pull.day for pull in written.recount.pulls if pull.merged))
    for since in (last, last - 3 * WEEK, last - 2 * WEEK):
        page.choose("from", str(since))
        ranked = [row["Reviewer"] for row in page.table("reviewers")]
        WebDriverWait(browser, 10).until(lambda _, ranked=ranked: names_from_top(page) == ranked)


def test_a_hostile_name_is_text_in_a_tooltip(browser, written):
    page = Page(browser, written.path, address="#org=acme")
    title = browser.title
    page.run("document.querySelector('#reviewers').scrollIntoView({ block: 'center' })")
    said = []
    for bar in page.all("#reviewers .mark-rect path"):
        ActionChains(browser).move_to_element(bar).perform()
        said.append(page.find("#vg-tooltip-element").get_attribute("textContent"))
    assert said == [f"{row['Reviewer']}: {row['Reviews']} reviews in acme" for row in page.table("reviewers")]
    assert any(text.startswith(NASTY) for text in said)
    assert browser.title == title


def test_an_empty_chart_says_where_there_is_something(browser, written):
    deployed = [day for organisation, day, *_ in written.story.rows["deployments"] if organisation == "acme"]
    page = Page(browser, written.path, address="#org=acme&from=2026-03-01")
    assert page.find("#deployments .nothing").text == (
        "No deployments to production in this period: "
        f"acme has them from {text_of(min(deployed))} to {text_of(max(deployed))}."
    )
    assert page.find("#restoration .nothing").text == (
        "acme has no failed deployments that a success followed: its data was not made by tformance_seed."
    )


def names_from_top(page: Page) -> list[str]:
    """The names on the chart of reviewers."""
    labels = page.run("""
        const labels = [...document.querySelectorAll("#reviewers .role-axis-label text")];
        return labels.map((label) => [label.getBoundingClientRect().top, label.textContent]);
    """)
    return [name for _, name in sorted(labels) if not name.replace(",", "").isdigit()]


def test_one_tooltip_has_the_whole_week_in_words(browser, written):
    page = Page(browser, written.path)
    rows = page.table("pull-requests")
    drawing = page.find("#pull-requests .drawing")
    page.run("arguments[0].scrollIntoView({ block: 'center' })", drawing)
    bars = page.all("#pull-requests .mark-rect[aria-hidden=true] path")
    assert len(bars) == len(rows)
    for number in (0, len(rows) // 2, len(rows) - 1):
        ActionChains(browser).move_to_element(bars[number]).perform()
        row = rows[number]
        assert page.find("#vg-tooltip-element").text == (
            f"Week of {row['Week']}: {row['All']} merged, {row['With AI']} with AI ({row['AI share']})"
        )
    assert rows[-1]["Week"].endswith("(partial)")


def extent(written) -> Extent:
    """The days from the first to the last of the windows, and of all that is counted but open work."""
    days = {pull.day for pull in written.recount.merged}
    days |= {row[1] for row in (*written.recount.usage, *written.recount.reviews)}
    days |= {row[1] for kind in ("deployments", "issues") for row in written.story.rows[kind]}
    windows = [(usage["since"], usage["until"]) for usage in written.report["usage"]]
    days |= {datetime.date.fromisoformat(day) for window in windows for day in window if day}
    return min(days), max(days)


def check_headline(page: Page, recount: Recount, scope: str) -> None:
    """Compare the figures above the charts with a recount of what was chosen."""
    merged, all_pulls = recount.merged, recount.pulls
    with_ai = sum(pull.with_ai for pull in all_pulls)
    assert page.figure("members") == [f"{recount.members.total():,}", scope]
    assert page.figure("pull-requests")[:2] == [f"{len(all_pulls):,}", f"{len(merged):,} merged"]
    assert page.figure("with-ai")[:2] == [f"{with_ai / len(all_pulls):.1%}", f"{with_ai:,} pull requests"]
    assert page.figure("usage")[:2] == [f"{recount.member_days:,}", "member-days"]
    for figure, name in (("cycle-time", "cycle"), ("first-review", "review")):
        hours = recount.hours(name)
        median, mean = page.figure(figure)[:2]
        assert in_hours(mean) == pytest.approx(sum(hours) / len(hours), rel=0.03, abs=0.01)
        assert is_median(median, hours)


def check_charts(page: Page, recount: Recount, shown: Extent) -> None:
    """Compare the tables behind the charts that are no story of weeks with a recount."""
    for chart, name in (("cycle-time", "cycle"), ("review-time", "review")):
        assert [list(row.values())[1:] for row in page.table(chart)] == durations(recount, name)

    found = Counter((pull.week, tool) for pull in recount.merged for tool in set(pull.tools))
    headings = [name for name in page.table("tools")[0] if name not in ("Week", "others")]
    for row, (week, text) in zip(page.table("tools"), weeks_of(shown), strict=True):
        rest = sum(n for (when, tool), n in found.items() if when == week and tool not in headings)
        assert row == {"Week": text} | {tool: str(found[week, tool]) for tool in headings} | (
            {"others": str(rest)} if "others" in row else {}
        )
        assert rest == 0 or "others" in row

    usage = Counter((WEEKDAYS[date.weekday()], source) for _, date, source, _ in recount.usage)
    for row, weekday in zip(page.table("usage"), WEEKDAYS, strict=True):
        assert row == {"Weekday": weekday} | {
            source: f"{usage[weekday, source]:,}" for source in ("copilot", "cursor")
        }

    reviews = Counter((name, organisation) for organisation, _, name in recount.reviews)
    for row in page.table("reviewers"):
        assert row["Reviews"] == str(reviews[row["Reviewer"], row["Organisation"]])
    most = sorted(reviews.values(), reverse=True)[:10]
    assert [int(row["Reviews"]) for row in page.table("reviewers")] == most


def check_story(page: Page, story: Story, shown: Extent) -> None:
    """Compare the tables behind the charts by week with a recount, row by row."""

    def compare(chart: str, expected: Callable[[datetime.date], dict[str, object]]) -> None:
        rows = page.table(chart)
        assert len(rows) == len(weeks_of(shown))
        for row, (week, text) in zip(rows, weeks_of(shown), strict=True):
            assert row == {"Week": text, **expected(week)}, chart

    check_work(compare, story)
    check_deployments(compare, story)
    check_surveys(compare, story)


def check_work(compare: Compare, story: Story) -> None:
    def pulls(week: datetime.date) -> dict[str, object]:
        sides = [ai for ai, _ in story.in_week("merged", week)]
        with_ai, every = sum(sides), len(sides)
        counts = {"With AI": with_ai, "Without AI": every - with_ai, "All": every}
        return {name: f"{count:,}" for name, count in counts.items()} | {"AI share": share(with_ai, every)}

    compare("pull-requests", pulls)
    compare("ai-share", lambda week: {"AI share": pulls(week)["AI share"], "Merged": pulls(week)["All"]})

    def medians(kind: str) -> Callable[[datetime.date], dict[str, object]]:
        return lambda week: {
            side: MedianOf([hours for ai, hours in story.in_week(kind, week) if ai is with_ai])
            for side, with_ai in (("With AI", True), ("Without AI", False))
        }

    compare("cycle-time-by-week", medians("merged"))
    compare("review-time-by-week", medians("reviewed"))

    def adoption(week: datetime.date) -> dict[str, object]:
        tools = {"Any tool": None, "copilot": "copilot", "cursor": "cursor"}
        active = story.adoption(week)[1]
        recorded = story.recorded(week)
        shares = {heading: share(story.adoption(week, tool)[0], recorded) for heading, tool in tools.items()}
        return {**shares, "Active members": f"{active:,}"}

    compare("adoption", adoption)

    def seats(week: datetime.date) -> dict[str, object]:
        active, inactive = story.seats(week)
        counts = {"Active": active, "Inactive": inactive, "Total": active + inactive}
        return {name: str(count) for name, count in counts.items()} | {
            "In use": share(active, active + inactive)
        }

    compare("seats", seats)


def check_deployments(compare: Compare, story: Story) -> None:
    def deployed(week: datetime.date, *, failed: bool) -> list[float | None]:
        return [hours for has_failed, hours in story.in_week("deployments", week) if has_failed is failed]

    def deployments(week: datetime.date) -> tuple[int, int]:
        return len(deployed(week, failed=False)), len(deployed(week, failed=True))

    def frequency(week: datetime.date) -> dict[str, object]:
        succeeded, failed = deployments(week)
        return {"Succeeded": str(succeeded), "Failed": str(failed), "All": str(succeeded + failed)}

    compare("deployments", frequency)
    compare(
        "failures",
        lambda week: {
            "Failed": share(deployments(week)[1], sum(deployments(week))),
            "Deployments": str(sum(deployments(week))),
        },
    )
    compare("lead-time", lambda week: {"Lead time": MedianOf(deployed(week, failed=False))})
    compare("restoration", lambda week: {"Restored after": MedianOf(deployed(week, failed=True))})


def check_surveys(compare: Compare, story: Story) -> None:
    def answers(week: datetime.date) -> dict[str, object]:
        counts = Counter(answer for (answer,) in story.in_week("surveys", week))
        answered = counts["With AI"] + counts["Without AI"]
        return {
            **{name: str(counts[name]) for name in ("With AI", "Without AI", "No answer")},
            "Answered": share(answered, counts.total()),
            "AI, of answers": share(counts["With AI"], answered),
        }

    compare("answers", answers)

    def quality(week: datetime.date) -> dict[str, object]:
        rows = story.in_week("answers", week)
        rated = {side: [r for said, r, _ in rows if said is side and r is not None] for side in (True, False)}
        return {
            heading: f"{sum(rated[side]) / len(rated[side]):.2f}" if rated[side] else UNKNOWN
            for heading, side in (("With AI", True), ("Without AI", False))
        }

    compare("quality", quality)

    def guesses(week: datetime.date) -> dict[str, object]:
        known = [right for _, _, right in story.in_week("answers", week) if right is not None]
        return {"Right": share(sum(known), len(known)), "Guesses": str(len(known))}

    compare("guesses", guesses)
    compare("issues", lambda week: {"Resolved": str(len(story.in_week("issues", week)))})
    compare(
        "points",
        lambda week: {
            "Points": f"{sum(points for _, points in story.in_week('issues', week)):,.1f}",
            "Issues": str(len(story.in_week("issues", week))),
        },
    )
    compare(
        "issue-time", lambda week: {"Cycle time": MedianOf([h for h, _ in story.in_week("issues", week)])}
    )


def check_drawings(page: Page) -> None:
    """Compare the bars of charts with the tables behind them."""
    for chart in ("pull-requests", "usage", "tools", "deployments", "answers", "issues", "seats"):
        bars = Counter()
        for bar in page.drawn(chart):
            bars[bar["part"]] += int(bar["amount"].replace(",", ""))
        for name in bars:
            assert bars[name] == sum(int(row[name].replace(",", "")) for row in page.table(chart)), chart
        assert bars
    names = [bar["Reviews"] for bar in page.drawn("reviewers")]
    assert names == [row["Reviews"] for row in page.table("reviewers")]
    assert page.cut_off() == []


class MedianOf:
    """Equals the text of a duration that may be the median of some hours, estimated from bins."""

    def __init__(self, hours: Sequence[float | None]) -> None:
        self.hours = [float(each) for each in hours if each is not None]

    def __eq__(self, text: object) -> bool:
        return is_median(str(text), self.hours) if self.hours else text == UNKNOWN

    def __repr__(self) -> str:
        return f"median of {sorted(self.hours)}"


def is_median(text: str, hours: Sequence[float]) -> bool:
    """Whether a text, such as "3.5 h" or "4 days", is within a bin of the median, but for its rounding."""
    ordered = sorted(hours)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    rounding = 12 if "days" in text else 0.5 if in_hours(text) >= 10 else 0.06
    return low / BIN - rounding <= in_hours(text) <= high * BIN + rounding


def durations(recount: Recount, name: str) -> list[list[str]]:
    """Shares with and without AI, and counts, by doublings of the hours from 1/32 to 2048, and outside."""
    counts = Counter()
    for pull in recount.merged:
        if (value := getattr(pull, name)) is not None:
            row = math.floor(math.log2(value) + 5) + 1 if value > 0 else 0
            counts[min(max(row, 0), 17), pull.with_ai] += 1
    totals = {side: sum(counts[row, side] for row in range(18)) for side in (True, False)}
    return [
        [share(counts[row, side], totals[side]) for side in (True, False)]
        + [f"{counts[row, side]:,}" for side in (True, False)]
        for row in range(18)
    ]


def weeks_of(shown: Extent) -> list[tuple[datetime.date, str]]:
    """The Mondays of the weeks that charts show, and how their tables call them."""
    first, last = shown
    weeks = [week_of(first) + WEEK * number for number in range((week_of(last) - week_of(first)) // WEEK + 1)]
    return [
        (week, f"{text_of(week)}{'' if first <= week and week + 6 * DAY <= last else ' (partial)'}")
        for week in weeks
    ]


def text_of(day: datetime.date) -> str:
    return f"{day.day} {day:%b %Y}"


def share(part: int, whole: int) -> str:
    if not whole:
        return UNKNOWN
    percent = (Decimal(100 * part) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{percent}%"


def in_hours(text: str) -> float:
    *_, number, unit = text.split()
    return float(number) * {"min": 1 / 60, "h": 1, "days": 24}[unit]
