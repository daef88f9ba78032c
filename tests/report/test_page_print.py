"""The page on paper: every row of every table, where the data comes from, and no half-empty sheets."""

import base64

import numpy as np
import pypdfium2
import pytest

from tests.support.browser import Page

pytestmark = pytest.mark.browser

#: The least share of a sheet's height, but for the last sheet's, that is filled.
FILLED = 0.5


def printed(page: Page) -> pypdfium2.PdfDocument:
    page.settle()
    paper = page.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    return pypdfium2.PdfDocument(base64.b64decode(paper["data"]))


def words(sheet: pypdfium2.PdfPage) -> str:
    """Return what is written on a sheet, without white space."""
    return "".join(sheet.get_textpage().get_text_range().split())


def bare(text: str) -> str:
    """Return the letters and digits of a text; a hyphen at the end of a line is not found again."""
    return "".join(filter(str.isalnum, text))


def filled(sheet: pypdfium2.PdfPage) -> float:
    """Return the share of a sheet's height down to the last ink above its footer."""
    grey = sheet.render(grayscale=True).to_numpy().squeeze()
    inked = np.flatnonzero((grey[: int(len(grey) * 0.95)] < 250).any(axis=1))
    return float(inked.max() / len(grey))


@pytest.fixture(scope="module", params=["light", "dark"])
def sheets(request, browser, hostile_page):
    page = Page(
        browser, hostile_page, theme=request.param, address="#org=polar&from=2026-01-12&to=2026-03-10"
    )
    rows = page.run("""
        const rows = [...document.querySelectorAll("tbody tr")];
        return rows.map((row) => [...row.cells].map(({ textContent }) => textContent));
    """)
    return list(printed(page)), rows, page.run("return document.querySelectorAll('details[open]').length")


def test_every_sheet_says_where_the_data_comes_from_and_of_which_period(sheets):
    pages, _, _ = sheets
    for number, sheet in enumerate(pages, 1):
        assert "Simulateddata.Thisorganisation'sdataissimulated." in words(sheet)
        assert "polar·58days,12Jan2026to10Mar2026" in words(sheet)
        assert f"Page{number}of{len(pages)}" in words(sheet)


def test_every_row_of_every_table_is_printed(sheets):
    pages, rows, still_open = sheets
    everything = bare("".join(map(words, pages)))
    texts = [bare("".join(cells)) for cells in rows]
    assert len(texts) > 250
    assert [text for text in texts if text not in everything] == []
    assert still_open == 0  # on the screen, tables are closed again


def test_nothing_is_cut_off_at_the_right(sheets):
    for sheet in sheets[0]:
        grey = sheet.render(grayscale=True).to_numpy().squeeze()
        assert (grey[:, int(grey.shape[1] * 0.96) :] == 255).all()


def test_no_sheet_is_half_empty(sheets):
    pages, _, _ = sheets
    shares = [round(filled(sheet), 2) for sheet in pages[:-1]]
    assert len(shares) > 3
    assert [share for share in shares if share < FILLED] == []


def test_paper_is_white_whatever_the_theme(sheets):
    for sheet in sheets[0]:
        grey = sheet.render(grayscale=True).to_numpy().squeeze()
        assert np.median(grey) == 255
        assert grey[0, 0] == 255
