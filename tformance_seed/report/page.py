"""The standalone HTML report: one file that needs no network, with charts for a selection by the reader."""

import importlib.resources
import json
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import peewee
import vl_convert

from tformance_seed.errors import InputError
from tformance_seed.ledger import now
from tformance_seed.report import charts, drawings
from tformance_seed.report.charts import Chart
from tformance_seed.report.daily.ai import usage
from tformance_seed.report.daily.counts import BIN_EDGES, BINS_PER_DOUBLING, MIN_HOURS
from tformance_seed.report.daily.work import MAX_REVIEWERS, first_reviews, pull_requests
from tformance_seed.report.figures import Report
from tformance_seed.report.pivot import Content
from tformance_seed.report.sections import Section, format_note, sections
from tformance_seed.report.series import Daily, gather_daily

#: The mark on every page, and the number of bytes at the beginning of a file that must contain it. A file
#: without the mark is not replaced.
MARK, MARK_WITHIN = b'<meta name="generator" content="tformance_seed">', 200

#: The parts of the page's script, in the order in which they need one another.
SCRIPTS = ("formats", "series", "pivot", "elements", "main")

#: Exposes the part of the library's bundle that the page's script uses.
LIBRARY_SNIPPET = "window.vegaEmbed = vegaEmbed;"

#: The queries behind the figures that the script shows above the charts.
HEADLINE_QUERIES = (pull_requests, first_reviews, usage)


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
    content = render(report, gather_daily(database, slugs, queries)).encode()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError(f"--html {path}: {error.strerror}; nothing was written") from error
    return len(content)


def render(report: Report, daily: Daily) -> str:
    """Return the page as HTML.

    Parameters:
      daily: must contain the series of ``HEADLINE_QUERIES`` and of all charts' queries.
    """
    facts, _, organisations, _ = sections(report)
    return Template(_file("page.html")).substitute(
        title=escape(report.database.name),
        server=escape(f"{report.database.kind} {report.database.version}"),
        moment=f"{now():%Y-%m-%d %H:%M} UTC",
        style=_file("page.css"),
        charts="".join(_card(chart) for chart in charts.CHARTS if chart.query),
        whole_database="".join(_card(chart) for chart in charts.CHARTS if not chart.query),
        facts="".join(
            f"<div><dt>{escape(what)}</dt><dd>{escape(figure)}</dd></div>" for what, figure in facts.rows
        ),
        organisations=_table(organisations),
        reviewers=MAX_REVIEWERS,
        notes="".join(f"<p>{escape(format_note(note))}</p>" for note in _notes(report, daily)),
        data=_json(_data(Content(report, daily))),
        library=_library(),
        script="\n".join(_file(f"scripts/{name}.js") for name in SCRIPTS),
    )


def _file(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text("utf-8")


def _library() -> str:
    """Return the JavaScript of Vega-Embed and everything that it needs."""
    bundle = vl_convert.javascript_bundle(LIBRARY_SNIPPET, vl_version=drawings.VEGA_LITE_VERSION)
    return bundle.replace("</script", "<\\/script")


def _json(value: Any) -> str:
    """Return JSON that cannot end the script element around it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).replace("<", "\\u003c")


def _notes(report: Report, daily: Daily) -> list[str]:
    undated = f"{daily.undated:,} pull requests without any date are on no day"
    return [*report.notes, *([undated] if daily.undated else [])]


def _data(content: Content) -> dict[str, Any]:
    """Return all data for the page's script."""
    report, daily = content.report, content.daily
    return {
        "organisations": [[item.organisation, item.members] for item in report.organisations],
        "mondays": daily.mondays,
        "bins": {"minHours": MIN_HOURS, "perDoubling": BINS_PER_DOUBLING, "edges": len(BIN_EDGES)},
        "series": {name: series.packed() for name, series in daily.series.items()},
        "charts": {chart.name: chart.packed(content) for chart in charts.CHARTS},
        "config": drawings.config(),
    }


def _card(chart: Chart) -> str:
    """Return the element that the script fills with a chart and the table behind it."""
    name, title = chart.name, escape(chart.title)
    return (
        f'<figure class="card" id="{name}" aria-labelledby="{name}-title">'
        f'<figcaption><h3 id="{name}-title">{title}</h3><p>{escape(chart.caption)}</p></figcaption>'
        '<div class="drawing"></div><p class="nothing" hidden>Nothing in this period.</p>'
        f'<details><summary>Table<span class="unseen"> of {title}</span></summary>'
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{name}-title"></div>'
        "</details></figure>"
    )


def _table(section: Section) -> str:
    sides = ["number" if right else "text" for right in section.right_aligned]

    def row(cells: Iterable[str], tag: str, scope: str) -> str:
        first, *rest = ((f' class="{side}"', escape(cell)) for side, cell in zip(sides, cells, strict=True))
        others = "".join(f"<{tag}{side}>{cell}</{tag}>" for side, cell in rest)
        return f'<tr><th scope="{scope}"{first[0]}>{first[1]}</th>{others}</tr>'

    head = row(section.headings, "th", "col")
    body = "".join(row(cells, "td", "row") for cells in section.rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
