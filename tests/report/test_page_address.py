"""What the page shows stands in its address: readers share it, and go back and forward in it."""

import datetime
import re

import pytest
from selenium.webdriver import Keys

from tests.support.browser import Page

pytestmark = pytest.mark.browser

#: The first and the last day of the page's data, as it writes and addresses them.
FIRST, LAST = "2025-01-06", "2026-03-18"

#: Addresses of which nothing can be understood.
BAD = [
    "#org=nobody&from=2026-02-31&to=yesterday&theme=pink&view=__proto__",
    "#from=2026-03-05&to=2026-02-04",
    "#from=2030-01-01",
    "#to=1999-01-01",
    "#%E0%A4%A&&=&from=&from=5&constructor=1",
    "#from=0000-00-00&to=99999-01-01&org=%00",
    "#database",
]


def shown(page: Page) -> dict[str, str]:
    """Return what the controls say, and the theme and view."""
    script = """
        const value = (id) => document.getElementById(id).value;
        const { theme, view } = document.documentElement.dataset;
        const { text } = document.getElementById("organisation").selectedOptions[0];
        return { org: text, from: value("from"), to: value("to"), theme, view };
    """
    return page.run(script)


def address(page: Page) -> str:
    return page.run("return decodeURIComponent(location.hash)")


def pressed(page: Page) -> list[str]:
    return [button.text for button in page.all("#presets [aria-pressed=true]")]


def test_an_address_restores_what_was_shown(browser, hostile_page):
    page = Page(browser, hostile_page)
    page.choose("organisation", "polar")
    page.choose("from", "2026-02-04")
    page.choose("to", "2026-03-05")
    page.find("#theme").click()
    page.open("organisations")
    assert address(page) == "#org=polar&from=2026-02-04&to=2026-03-05&view=organisations&theme=dark"
    before, figures = shown(page), page.table("recent")
    again = Page(browser, hostile_page, address=address(page))
    assert shown(again) == before
    assert before == {
        "org": "polar",
        "from": "2026-02-04",
        "to": "2026-03-05",
        "theme": "dark",
        "view": "organisations",
    }
    assert again.table("recent") == figures


def test_back_and_forward_restore_what_was_shown(browser, hostile_page):
    page = Page(browser, hostile_page)
    whole = page.figure("pull-requests")
    page.choose("organisation", "polar")
    polar = page.figure("pull-requests")
    page.open("database")
    assert page.find("#tables").is_displayed()
    browser.back()
    assert (page.figure("pull-requests"), shown(page)["org"]) == (polar, "polar")
    browser.back()
    assert page.figure("pull-requests") == whole != polar
    browser.forward()
    assert page.figure("pull-requests") == polar


def test_what_is_wrong_in_an_address_is_ignored(browser, hostile_page):
    page = Page(browser, hostile_page, address=BAD[0])
    everything = {"from": FIRST, "to": LAST, "theme": "light", "view": "overview"}
    for bad in BAD:
        page.run("location.hash = arguments[0]", bad)
        assert shown(page) == {**everything, "org": "All organisations (2)"}, bad
        page.run("location.hash = 'org=polar&view=database'")
    assert browser.get_log("browser") == []


def test_a_day_outside_of_the_data_means_its_first_or_last_day(browser, hostile_page):
    page = Page(browser, hostile_page, address="#from=2001-01-01&to=2026-03-05")
    assert [shown(page)[name] for name in ("from", "to")] == [FIRST, "2026-03-05"]


def test_a_preset_chosen_by_the_keyboard_is_the_latest_days(browser, hostile_page):
    page = Page(browser, hostile_page)
    assert pressed(page) == ["All"]
    page.tab_to("organisation")
    last = datetime.date.fromisoformat(LAST)
    for days in (7, 30, 90):
        page.press(Keys.TAB)
        page.press(Keys.SPACE)
        since = str(last - datetime.timedelta(days=days - 1))
        assert [shown(page)[name] for name in ("from", "to")] == [since, LAST]
        assert pressed(page) == [f"{days} days"]
        assert address(page) == f"#from={since}"
        assert f"{days} days, " in page.find("#shown").text


def test_a_period_cannot_end_before_it_begins(browser, hostile_page):
    page = Page(browser, hostile_page)
    page.choose("to", "2026-02-10")
    page.choose("from", "2026-02-20")
    assert [shown(page)[name] for name in ("from", "to")] == ["2026-02-20"] * 2
    page.choose("to", "2026-02-10")
    assert [shown(page)[name] for name in ("from", "to")] == ["2026-02-10"] * 2
    page.choose("from", "")
    assert shown(page)["from"] == "2026-02-10"


def test_figures_are_compared_with_those_of_the_same_number_of_days_before(browser, hostile_page):
    def counted(since: str, until: str) -> float:
        page = Page(browser, hostile_page, address=f"#org=polar&from={since}&to={until}")
        return float(page.figure("pull-requests")[0].replace(",", ""))

    now, before = counted("2026-02-17", LAST), counted("2026-01-18", "2026-02-16")
    page = Page(browser, hostile_page, address="#org=polar&from=2026-02-17")
    change = page.figure("pull-requests")[2]
    found = re.fullmatch(r"([+\u2212-]?[\d.]+)% on the 30 days before", change)
    assert found, change
    assert float(found[1].replace("\u2212", "-")) == pytest.approx(100 * (now / before - 1), abs=0.51)
    assert "compared with 18 Jan 2026 to 16 Feb 2026" in page.find("#shown").text
    page = Page(browser, hostile_page, address="#from=2025-07-01")
    assert "no earlier data" in page.find("#shown").text


def test_a_theme_that_was_chosen_is_no_step_to_go_back_to(browser, hostile_page):
    page = Page(browser, hostile_page)
    page.choose("organisation", "polar")
    page.find("#theme").click()
    browser.back()
    assert shown(page)["org"] == "All organisations (2)"
