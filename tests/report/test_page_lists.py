"""The page's lists are sorted, searched and downloaded; one organisation has lists of what belongs to it."""

import csv
import datetime
import importlib.resources
import time
from pathlib import Path

import pytest
from selenium.webdriver import Keys

from tests.support.browser import Page
from tests.support.reports import NASTY

pytestmark = pytest.mark.browser

SLUG = NASTY[:50]
BYTE_ORDER_MARK = "\ufeff"


def column(page: Page, name: str, heading: str) -> list[str]:
    """Return the texts of a list's column, of the rows that are shown."""
    script = """
        const rows = [...document.querySelectorAll(`#${arguments[0]} tbody tr:not([hidden])`)];
        return rows.map((row) => row.querySelector(`[data-heading="${arguments[1]}"]`).textContent);
    """
    page.settle()
    return page.run(script, name, heading)


def sorted_by(page: Page, name: str) -> dict[str, str]:
    heads = page.all(f"#{name} th[aria-sort]")
    return {head.text.split("\n")[0]: head.get_attribute("aria-sort") for head in heads}


def header(page: Page, name: str, heading: str):
    return next(button for button in page.all(f"#{name} th button") if button.text == heading)


def download(page: Page, name: str, folder: Path) -> tuple[str, list[list[str]]]:
    """Return the name and the rows of the file that a card's button downloads."""
    where = {"behavior": "allow", "downloadPath": str(folder)}
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    page.find(f"#{name} .download").click()
    for _ in range(100):
        found = [path for path in folder.iterdir() if path.suffix == ".csv"]
        if found and (text := found[0].read_bytes().decode()):
            assert text.startswith(BYTE_ORDER_MARK)
            assert text.endswith("\r\n")
            return found[0].name, list(csv.reader(text[1:].splitlines(keepends=True)))
        time.sleep(0.05)
    raise AssertionError("nothing was downloaded")


def test_a_header_sorts_by_its_column_and_says_so(browser, hostile_page):
    page = Page(browser, hostile_page, address="#org=polar&view=organisations")
    by_count = [int(text) for text in column(page, "people", "Pull requests")]
    button = header(page, "people", "Pull requests")
    page.run("arguments[0].focus()", button)
    page.press(Keys.ENTER)
    assert [int(text) for text in column(page, "people", "Pull requests")] == sorted(by_count, reverse=True)
    assert sorted_by(page, "people") == {"Pull requests": "descending"}
    page.press(Keys.ENTER)  # the header has kept the focus
    assert [int(text) for text in column(page, "people", "Pull requests")] == sorted(by_count)
    header(page, "people", "Name").click()
    names = column(page, "people", "Name")
    assert names == sorted(names, key=str.lower)
    assert sorted_by(page, "people") == {"Name": "ascending"}
    for _ in range(2):
        header(page, "recent", "Cycle hours").click()
        known = [text == "\u2013" for text in column(page, "recent", "Cycle hours")]
        assert known == sorted(known)  # what is not known comes last, either way
        assert len(set(known)) == 2


def test_a_search_filters_the_rows_and_says_how_many_are_left(browser, hostile_page):
    page = Page(browser, hostile_page, address="#org=polar&view=organisations")
    repositories = column(page, "recent", "Repository")
    some = repositories[0]
    page.find("#recent-search").send_keys(f"{some.upper()} merged")
    left = column(page, "recent", "Repository")
    states = column(page, "recent", "State")
    assert left == [each for each in left if some in each]
    assert 0 < len(left) < len(repositories)
    assert set(states) == {"merged"}
    assert page.find("#recent .found").text == f"{len(left)} of {len(repositories)} pull requests"
    page.find("#recent-search").send_keys(" nowhere")
    assert column(page, "recent", "State") == []
    assert page.find("#recent .found").text.startswith("None of ")
    assert not page.find("#recent .scroll").is_displayed()


def test_a_click_on_an_organisation_shows_what_belongs_to_it(browser, hostile_page):
    page = Page(browser, hostile_page)
    page.open("organisations")
    assert not page.find("#details").is_displayed()
    header(page, "organisations", "Members").click()
    page.find("#organisations-search").send_keys("polar")
    page.find("#organisations tr:not([hidden]) a").click()
    assert browser.switch_to.active_element.text == "polar"
    assert page.run("return location.hash") == "#org=polar&view=organisations"
    assert page.all("#repositories tbody tr")
    assert len(page.table("people")) == 30
    assert len(page.table("recent")) == 200
    assert "200 of 400 pull requests" in page.find("#recent figcaption").text
    assert sorted_by(page, "organisations") == {"Members": "descending"}
    assert column(page, "organisations", "Organisation") == ["polar"]  # still searched
    page.run("scrollTo(0, 0)")
    page.find("#more").click()
    assert not page.find("#details").is_displayed()


def test_pull_requests_are_those_of_the_period(browser, hostile_page):
    page = Page(browser, hostile_page, address="#org=polar&from=2026-03-09&to=2026-03-12&view=organisations")
    days = {datetime.datetime.strptime(text, "%d %b %Y").day for text in column(page, "recent", "Day")}
    assert days
    assert days <= {9, 10, 11, 12}
    page.choose("to", "2025-02-02")
    assert page.find("#recent .found").text == "None of the pull requests in this list is of this period."


def test_hostile_names_are_shown_and_do_nothing(browser, hostile_page):
    page = Page(browser, hostile_page)
    page.choose("organisation", SLUG)
    page.open("organisations")
    assert page.find("#details-title").get_attribute("textContent") == SLUG
    assert column(page, "recent", "Title")[0] == NASTY
    assert NASTY in column(page, "people", "Name")
    again = Page(browser, hostile_page, address=page.run("return location.hash"))
    assert again.find("#details-title").get_attribute("textContent") == SLUG
    assert browser.title.startswith("tformance report")
    assert not page.all("#bold")
    assert browser.get_log("browser") == []


def test_a_table_is_downloaded_with_raw_values_and_no_formulas(browser, hostile_page, tmp_path):
    page = Page(browser, hostile_page)
    page.choose("organisation", SLUG)
    page.open("organisations")
    name, (headings, *rows) = download(page, "people", tmp_path)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert headings[:3] == ["Name", "Role", "Pull requests"]
    names = [row[0] for row in rows]
    assert NASTY in names
    assert '\'=HYPERLINK("http://a.b")' in names
    assert all(0 <= float(row[3]) <= 1 for row in rows if row[3])


def test_the_table_of_a_chart_is_downloaded_for_what_is_shown(browser, hostile_page, tmp_path):
    page = Page(browser, hostile_page, address="#org=polar&from=2026-02-02&to=2026-03-01")
    name, (headings, *rows) = download(page, "pull-requests", tmp_path)
    assert name == "tformance-pull-requests-polar-2026-02-02-to-2026-03-01.csv"
    shown = page.table("pull-requests")
    assert headings == list(shown[0])
    assert [row[0] for row in rows] == ["2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23"]
    for row, texts in zip(rows, shown, strict=True):
        *counts, share = row[1:]
        assert [*counts, f"{float(share):.1%}"] == list(texts.values())[1:]


def test_the_list_of_organisations_is_downloaded_as_it_is_searched(browser, hostile_page, tmp_path):
    page = Page(browser, hostile_page, address="#view=organisations")
    page.find("#organisations-search").send_keys("polar")
    name, (_headings, *rows) = download(page, "organisations", tmp_path)
    assert name == "tformance-organisations.csv"
    assert [row[:3] for row in rows] == [["polar", "30", "400"]]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\t=1", '"\'\t=1"'),
        (" =1", '"\' =1"'),
        ("\r=1", '"\'\r=1"'),
        ("\uff1d1", "'\uff1d1"),
        ('say "x", y', '"say ""x"", y"'),
        ("a\nb", '"a\nb"'),
        ("a;b", '"a;b"'),
        ("a=b", "a=b"),
    ],
)
def test_a_field_is_quoted_and_no_formula(browser, tmp_path, value, written):
    script = (importlib.resources.files("tformance_seed.report") / "scripts/download.js").read_text()
    browser.get("about:blank")
    source = f"const isNumber = () => false; {script} return field(arguments[0], 'text');"
    assert browser.execute_script(source, value) == written
