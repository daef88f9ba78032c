"""The results of one run: a table of ratios, JSON, and a chart."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import altair
from rich.console import Console
from rich.table import Table

from benchmarks.measures import Measure, Ratio

RESULTS = Path(__file__).with_name("results.json")

#: The chart of the page about performance.
CHART = Path(__file__).parents[1] / "docs" / "images" / "speed.svg"


def show(measures: list[Measure], ratios: list[Ratio], facts: dict[str, Any], console: Console) -> None:
    """Print all measures, and the ratios with their targets."""
    table = Table(
        "what", "way", "", "rows", "seconds", "rows/s", box=None, title="Measures", title_justify="left"
    )
    for m in measures:
        speed = f"{m.rows / m.seconds:,.0f}" if m.rows else ""
        mark = " (extrapolated)" if m.extrapolated else ""
        table.add_row(
            m.table, m.way + mark, m.state, f"{m.rows:,}" if m.rows else "", f"{m.seconds:,.2f}", speed
        )
    console.print(table)
    table = Table(
        "ratio", "target", "got", "", box=None, title="Ratios, all of this run", title_justify="left"
    )
    for r in ratios:
        table.add_row(
            r.name,
            f"{'at most' if r.at_most else 'at least'} {r.target:g}",
            f"{r.got:.2f}",
            "met" if r.met else "missed",
        )
    console.print(table)
    for name, value in facts.items():
        console.print(name, value)


def save(measures: list[Measure], ratios: list[Ratio], facts: dict[str, Any]) -> None:
    """Write ``results.json``, and the chart of the documentation."""
    results = {
        "measures": [asdict(m) for m in measures],
        "ratios": [asdict(r) | {"met": r.met} for r in ratios],
        "facts": facts,
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    chart([m for m in measures if m.table == "metrics_aiusagedaily"]).save(str(CHART))


def chart(measures: list[Measure]) -> altair.Chart:
    """Return a chart of the rows a second of every way, fresh and again."""
    values = [{"way": m.way, "state": m.state, "speed": m.rows / m.seconds} for m in measures]
    order = [m.way for m in sorted(measures, key=lambda m: m.seconds) if m.state == "fresh"]
    return (
        altair.Chart(altair.Data(values=values), title="metrics_aiusagedaily, rows a second")
        .mark_bar()
        .encode(
            x=altair.X("speed:Q", title=None, axis=altair.Axis(format="~s")),
            y=altair.Y("way:N", sort=order, title=None, axis=altair.Axis(labelLimit=300)),
            yOffset=altair.YOffset("state:N", sort=["fresh", "again"]),
            color=altair.Color("state:N", sort=["fresh", "again"], title=None),
        )
        .properties(width=480)
    )
