"""The page of the report in a real browser: what it shows, on which screens, to whom."""

import json

import pytest
from selenium.webdriver import Keys

from tests.support.browser import CONTRAST, SCREENS, Page
from tests.support.commands import command

pytestmark = pytest.mark.browser


#: A figure that is not known.
UNKNOWN = "\u2013"


@pytest.mark.parametrize("written", ["sqlite"], indirect=True)  # a page's form depends on no database
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_it_fits_every_screen_and_is_readable(browser, written, screen, theme):
    page = Page(browser, written.path, screen, theme)
    width, _ = SCREENS[screen]
    page.settle()
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
    assert len(page.charts()) == 22
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
