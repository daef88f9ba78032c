"""A page to show around: one file, without network; charts follow the organisation and period chosen."""

import importlib.resources
import json
import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import peewee

from tformance_seed.errors import InputError
from tformance_seed.ledger import now
from tformance_seed.report import weeks
from tformance_seed.report.figures import Report
from tformance_seed.report.sections import Section, format_note, sections
from tformance_seed.report.weeks import Weeks

try:
    import vl_convert

    from tformance_seed.report import charts
except ImportError as error:
    raise InputError("--html needs the charts of an extra: pip install 'tformance_seed[report]'") from error

#: What is near the beginning of every page, and within how many bytes: another file is somebody else's.
MARK, BEGINNING = b'<meta name="generator" content="tformance_seed">', 200


def check(path: Path) -> None:
    """See that a page can be written to a file.

    Raises:
      InputError: there is no such folder, it cannot be written to, or something that is no page is there.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise InputError(f"--html {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise InputError(f"--html {path}: the folder {folder} may not be written to")
    if path.exists() and not _is_page(path):
        raise InputError(f"--html {path}: that is there and is no page of this command; name another file")


def _is_page(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK in file.read(BEGINNING)


def write(path: Path, database: peewee.Database, report: Report) -> int:
    """Write the page, all or nothing; its size in bytes.

    Raises:
      InputError: the file cannot be written.
    """
    by_week = weeks.gather(database, [item.organisation for item in report.organisations])
    content = page(report, by_week).encode()
    made = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        made.write_bytes(content)
        made.replace(path)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise InputError(f"--html {path}: {error.strerror}; nothing was written") from error
    return len(content)


def page(report: Report, by_week: Weeks) -> str:
    """The page."""
    colours = charts.tools_told_apart(by_week.sources, by_week.tools)
    drawn = charts.by_week(colours, by_week.sources, by_week.tools)
    sizes = charts.sizes(len(report.tables))
    facts, _, organisations, _ = sections(report)
    return Template(_file("page.html")).substitute(
        title=escape(report.database.name),
        server=escape(f"{report.database.kind} {report.database.version}"),
        moment=f"{now():%Y-%m-%d %H:%M} UTC",
        style=_file("page.css"),
        charts="".join(map(_card, drawn)),
        sizes=_card(sizes),
        facts="".join(
            f"<div><dt>{escape(what)}</dt><dd>{escape(figure)}</dd></div>" for what, figure in facts.rows
        ),
        organisations=_table(organisations),
        reviewers=weeks.REVIEWERS,
        notes="".join(f"<p>{escape(format_note(note))}</p>" for note in _notes(report, by_week)),
        data=_json(_data(report, by_week, [*drawn, sizes], colours)),
        library=_library(),
        script=_file("page.js"),
    )


def _file(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text("utf-8")


def _library() -> str:
    """Vega-Embed with all it needs, of the version of Vega-Lite that Altair writes."""
    version = charts.alt.SCHEMA_VERSION.rpartition(".")[0]
    bundle = vl_convert.javascript_bundle(vl_version=version)
    return bundle.replace("</script", "<\\/script")


def _json(value: Any) -> str:
    """JSON that nothing in it can make end the script element it stands in."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str).replace("<", "\\u003c")


def _notes(report: Report, by_week: Weeks) -> list[str]:
    undated = f"{by_week.undated:,} pull requests without any date are in no week"
    return [*report.notes, *([undated] if by_week.undated else [])]


def _data(
    report: Report, by_week: Weeks, drawn: Sequence["charts.Chart"], colours: dict[str, str]
) -> dict[str, Any]:
    """All that the script knows."""
    return {
        "organisations": [[item.organisation, item.members] for item in report.organisations],
        "mondays": by_week.mondays,
        "tools": [tool if tool in colours else charts.OTHERS for tool in by_week.tools],
        "sources": by_week.sources,
        "reviewers": by_week.reviewers,
        "mostReviewers": charts.REVIEWERS,
        "bins": {"first": weeks.FIRST, "fineness": weeks.FINENESS, "edges": len(weeks.EDGES)},
        "series": {name: series.packed() for name, series in by_week.series.items()},
        "tables": [
            {
                "Table": table.table,
                "Rows": table.rows,
                "Heap": table.heap_bytes,
                "Indexes": table.index_bytes,
                "Total": table.total_bytes,
            }
            for table in report.tables
        ],
        "charts": {chart.name: {"columns": chart.columns, "spec": chart.spec()} for chart in drawn},
        "config": charts.config(),
    }


def _card(chart: "charts.Chart") -> str:
    """A chart's place in the page."""
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
