"""The page for readers who use a keyboard, a screen reader or a narrow screen, held against axe's rules."""

import pytest

from tests.support import npm
from tests.support.browser import SCREENS, Page

pytestmark = pytest.mark.browser

VIEWS = ["overview", "organisations", "database"]


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    return (npm.install("axe-core", tmp_path_factory.mktemp("npm")) / "axe.min.js").read_text()


@pytest.mark.npm
@pytest.mark.parametrize(
    ("screen", "theme"), [*((screen, "light") for screen in SCREENS), ("desktop", "dark"), ("phone", "dark")]
)
def test_axe_finds_nothing_in_any_view(browser, hostile_page, axe, screen, theme):
    page = Page(browser, hostile_page, screen, theme, "#org=polar")
    page.run(axe)
    for view in VIEWS:
        page.open(view)
        for details in page.all("details"):
            page.run("arguments[0].open = true", details)
        found = browser.execute_async_script(
            "const done = arguments[0]; axe.run().then(({ violations }) => done(violations))"
        )
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == [], view


#: Script that names what is wider than its place, once the browser has laid out what was opened.
WIDER = """
const done = arguments[0];
requestAnimationFrame(() => setTimeout(() => {
  const boxes = [document.documentElement, ...document.querySelectorAll(".scroll, .card, .headline > div")];
  const wider = boxes.filter((box) => box.checkVisibility({ visibilityProperty: true }))
    .filter((box) => box.scrollWidth > box.clientWidth);
  done(wider.map((box) => `${box.id} ${box.ariaLabel}: ${box.scrollWidth} > ${box.clientWidth}`));
}));
"""


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_scrolls_sideways(browser, hostile_page, screen):
    page = Page(browser, hostile_page, screen, address="#org=polar")
    for view in VIEWS:
        page.open(view)
        for details in page.all("details"):
            page.run("arguments[0].open = true", details)
        page.settle()
        assert browser.execute_async_script(WIDER) == [], view


@pytest.mark.parametrize(("screen", "columns"), [("desktop", 2), ("laptop", 2), ("tablet", 1), ("phone", 1)])
def test_charts_stand_in_two_columns_where_there_is_room(browser, hostile_page, screen, columns):
    page = Page(browser, hostile_page, screen)
    lefts = {card.rect["x"] for card in page.all("#overview figure:has(.drawing)")}
    assert len(lefts) == columns


@pytest.mark.parametrize("screen", SCREENS)
def test_the_origin_of_the_data_stays_on_every_screen(browser, hostile_page, screen):
    page = Page(browser, hostile_page, screen)
    assert page.find("#origin").text.startswith("Partly simulated data.")
    for view in VIEWS:
        page.open(view)
        page.run("scrollTo(0, document.body.scrollHeight)")
        notice = page.run("return document.getElementById('notice').getBoundingClientRect().toJSON()")
        assert notice["top"] == 0
        assert 0 < notice["height"] < 60
    page.choose("organisation", "polar")
    assert page.find("#origin").text == "Simulated data. This organisation's data is simulated."
