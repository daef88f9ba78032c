"""The standalone HTML report: one file that needs no network, with charts for a selection by the reader."""

import base64
import datetime
import functools
import importlib.metadata
import importlib.resources
import itertools
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import peewee
import vl_convert

from tformance_seed import settings
from tformance_seed.errors import InputError
from tformance_seed.ledger import now
from tformance_seed.report import charts, drawings, sections
from tformance_seed.report.charts import Chart
from tformance_seed.report.daily.ai import member_days
from tformance_seed.report.daily.counts import BIN_EDGES, BINS_PER_DOUBLING, MIN_HOURS
from tformance_seed.report.daily.work import MAX_REVIEWERS, first_reviews, pull_requests
from tformance_seed.report.figures import Report
from tformance_seed.report.listings import LISTINGS, Listing, Rows, gather_listings, rows_each
from tformance_seed.report.notices import notice_of_all, notices_of_one
from tformance_seed.report.pivot import Content
from tformance_seed.report.sections import ORGANISATIONS, Column, format_note
from tformance_seed.report.series import Daily, gather_daily

#: The mark on every page, and the number of bytes at the beginning of a file that must contain it. A file
#: without the mark is not replaced.
MARK, MARK_WITHIN = b'<meta name="generator" content="tformance_seed">', 200

#: The parts of the page's script, in the order in which they need one another.
SCRIPTS = (
    "formats",
    "series",
    "pivot",
    "elements",
    "download",
    "listing",
    "address",
    "headline",
    "drawing",
    "main",
)

#: Exposes the part of the library's bundle that the page's script uses.
LIBRARY_SNIPPET = "window.vegaEmbed = vegaEmbed;"

#: Formats of the terminal's sections -> the script's formats.
KINDS = {
    sections.format_text: "text",
    sections.format_count: "count",
    sections.format_hours: "hours",
    sections.format_share: "share",
    sections.format_day: "day",
}

#: What an organisation has of a list of which it has nothing.
NO_ROWS = Rows((), 0)

#: The queries behind the figures that the script shows above the charts.
HEADLINE_QUERIES = (pull_requests, first_reviews, member_days)


def check(path: Path) -> None:
    """Check that a page can be written to a file.

    Raises:
      InputError: the folder is missing or not writable, or the file exists and is not such a page.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise InputError(f"--html {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise InputError(f"--html {path}: the folder {folder} is not writable")
    if path.exists() and not _is_page(path):
        raise InputError(f"--html {path}: exists and is not a page of this command; name another file")


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK in file.read(MARK_WITHIN)


def write(path: Path, database: peewee.Database, report: Report) -> int:
    """Write the page to a file, either completely or not at all, and return its size in bytes.

    Raises:
      InputError: the file cannot be written.
    """
    queries = [*HEADLINE_QUERIES, *(chart.query for chart in charts.CHARTS if chart.query)]
    slugs = [organisation.organisation for organisation in report.organisations]
    daily = gather_daily(database, slugs, queries)
    limit = rows_each(len(slugs))
    content = render(report, daily, gather_listings(database, list(daily.slugs), limit)).encode()
    try:
        _write_whole(path, content)
    except OSError as error:
        raise InputError(f"--html {path}: {error.strerror}; nothing was written") from error
    return len(content)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file, either completely or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def render(report: Report, daily: Daily, listings: Mapping[str, Mapping[int, Rows]]) -> str:
    """Return the page as HTML.

    Parameters:
      daily: must contain the series of ``HEADLINE_QUERIES`` and of all charts' queries.
      listings: rows of ``LISTINGS``, by name and by the team's id.
    """
    facts, *_ = sections.sections(report)
    notice = notice_of_all([organisation.origin for organisation in report.organisations])
    return Template(_file("page.html")).substitute(
        title=escape(report.database.name),
        server=escape(f"{report.database.kind} {report.database.version}"),
        moment=f"{now():%Y-%m-%d %H:%M} UTC",
        notice=f"<strong>{escape(notice.label)}.</strong> {escape(notice.text)}" if notice else "",
        style=_file("page.css"),
        charts="".join(_group(title, list(group)) for title, group in _groups()),
        whole_database="".join(_card(chart) for chart in charts.CHARTS if not chart.query),
        facts="".join(
            f"<div><dt>{escape(what)}</dt><dd>{escape(figure)}</dd></div>" for what, figure in facts.rows
        ),
        organisations=_listing_card("organisations", "Organisations"),
        listings="".join(_listing_card(listing.name, listing.title) for listing in LISTINGS),
        reviewers=MAX_REVIEWERS,
        notes="".join(f"<p>{escape(format_note(note))}</p>" for note in _notes(report, daily)),
        data=_packed(_data(Content(report, daily), listings)),
        library=_library(),
        script="\n".join(_file(f"scripts/{name}.js") for name in SCRIPTS),
    )


def _file(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text("utf-8")


@functools.cache
def _library() -> str:
    """Return the JavaScript of Vega-Embed and everything that it needs.

    To bundle it takes seconds, so the bundle is kept among the user's caches.
    """
    with suppress(InputError, OSError, UnicodeDecodeError):
        return _kept_library().read_text("utf-8")
    bundle = vl_convert.javascript_bundle(LIBRARY_SNIPPET, vl_version=drawings.VEGA_LITE_VERSION)
    bundle = bundle.replace("</script", "<\\/script")
    with suppress(InputError, OSError):  # the next page bundles it again
        path = _kept_library()
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(path, bundle.encode())
    return bundle


def _kept_library() -> Path:
    """Return the file that keeps what these versions of Vega-Lite and of its bundler make.

    Raises:
      InputError: the user has no folder for caches.
    """
    made_by = f"vl-convert-{importlib.metadata.version('vl-convert-python')}"
    return settings.cache_folder() / "report" / f"vega-lite-{drawings.VEGA_LITE_VERSION}-{made_by}.js"


def _packed(value: Any) -> str:
    """Return JSON, compressed (zlib) and in Base64: a third as long, and it cannot end a script element."""
    return base64.b64encode(zlib.compress(_json(value).encode())).decode()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def _notes(report: Report, daily: Daily) -> list[str]:
    undated = f"{daily.undated:,} pull requests without any date are on no day"
    return [*report.notes, *([undated] if daily.undated else [])]


def _data(content: Content, listings: Mapping[str, Mapping[int, Rows]]) -> dict[str, Any]:
    """Return all data for the page's script.

    The columns are those of the organisations, of which the first two are the slug and the number of members.
    """
    report, daily = content.report, content.daily
    origins = [organisation.origin for organisation in report.organisations]
    return {
        "columns": {_capitalised(column.heading): KINDS[column.format] for column in ORGANISATIONS},
        "organisations": [
            [_value(column, organisation) for column in ORGANISATIONS]
            for organisation in report.organisations
        ],
        "origins": origins,
        "notices": {"all": notice_of_all(origins), **notices_of_one()},
        "mondays": daily.mondays,
        "extents": content.extents,
        "period": content.period(),
        "bins": {"minHours": MIN_HOURS, "perDoubling": BINS_PER_DOUBLING, "edges": len(BIN_EDGES)},
        # as texts, which the script parses when it needs them: the first screen needs three of twelve
        "series": {name: _json(series.packed()) for name, series in daily.series.items()},
        "charts": {chart.name: chart.packed(content) for chart in charts.CHARTS},
        "listings": [
            _listing(listing, [listings[listing.name].get(team, NO_ROWS) for team in daily.slugs])
            for listing in LISTINGS
        ],
        "config": drawings.config(),
    }


def _capitalised(heading: str) -> str:
    return f"{heading[0].upper()}{heading[1:]}"


def _value(column: Column, row: Any) -> Any:
    """Return a row's value for the script, which needs no point in time, but its day."""
    value = getattr(row, column.attribute)
    return value.date() if isinstance(value, datetime.datetime) else value


def _listing(listing: Listing, rows: Sequence[Rows]) -> dict[str, Any]:
    """Return a list with the rows of each organisation, in the order of the organisations."""
    return {
        "name": listing.name,
        "one": listing.one,
        "many": listing.many,
        "order": listing.order,
        "columns": listing.columns,
        "day": listing.day,
        "rows": [each.first for each in rows],
        "totals": [each.total for each in rows],
    }


def _groups() -> Iterator[tuple[str, Iterator[Chart]]]:
    """Return the charts that follow the reader's choice, by their headings."""
    return itertools.groupby((chart for chart in charts.CHARTS if chart.query), lambda chart: chart.group)


def _group(title: str, group: Sequence[Chart]) -> str:
    return f'<h2>{escape(title)}</h2><div class="charts">{"".join(map(_card, group))}</div>'


def _card(chart: Chart) -> str:
    """Return the element that the script fills with a chart and the table behind it."""
    name, title = chart.name, escape(chart.title)
    return (
        f'<figure class="card" id="{name}" aria-labelledby="{name}-title">'
        f"{_caption(name, title, escape(chart.caption))}"
        '<div class="drawing"></div><p class="nothing" hidden></p>'
        f'<details><summary>Table<span class="unseen"> of {title}</span></summary>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Table of {title}"></div>'
        "</details></figure>"
    )


def _listing_card(name: str, title: str) -> str:
    """Return the element that the script fills with a list which is searched and sorted."""
    return (
        f'<figure class="card listing" id="{name}" aria-labelledby="{name}-title">'
        f"{_caption(name, title, '')}"
        f'<div class="search"><input id="{name}-search" type="search" autocomplete="off" spellcheck="false"'
        f' aria-label="Search in {title}" placeholder="Search">'
        '<span class="found" role="status"></span></div>'
        f'<div class="scroll tall" role="region" tabindex="0" aria-label="List of {title}"></div></figure>'
    )


def _caption(name: str, title: str, text: str) -> str:
    return (
        f'<figcaption><div><h3 id="{name}-title">{title}</h3><p>{text}</p></div>'
        f'<button class="download" type="button" title="Download as CSV">CSV<span class="unseen"> of {title}'
        "</span></button></figcaption>"
    )
