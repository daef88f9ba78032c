"""Run all benchmarks in one go, on a private server: ``python -m benchmarks``.

    python -m benchmarks                     all parts
    python -m benchmarks tables scale        some of tables, organisation, scale, growth, start, git
    python -m benchmarks git --repo PATH     a clone for the git source; without one, git is skipped

Prints the ratios. When all parts ran, writes results.json here and the chart docs/images/speed.svg.
"""

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import commands, organisation, report, scale, tables
from benchmarks.measures import Measure, Ratio
from benchmarks.server import server

PARTS = ("tables", "organisation", "scale", "growth", "start", "git")


def main() -> None:
    """Run the parts that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--repo", type=Path, help="a clone, for the part git")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no part {min(unknown)}; expected some of {', '.join(PARTS)}")
    parts = set(chosen.parts or PARTS)
    console = Console(stderr=True, highlight=False)
    measures: list[Measure] = []
    ratios: list[Ratio] = []
    facts: dict[str, Any] = {}
    with server() as running:
        if "start" in parts:
            _add(commands.startup(console), measures, ratios)
        if "tables" in parts:
            _add(tables.measure(running, console), measures, ratios)
        if "organisation" in parts:
            _add(organisation.measure(running, console), measures, ratios)
        if "scale" in parts:
            *results, facts = scale.measure(running, console)
            _add((results[0], results[1]), measures, ratios)
        if "growth" in parts:
            _add(scale.growth(running, console), measures, ratios)
        if "git" in parts and chosen.repo:
            _add(commands.git(console, chosen.repo), measures, ratios)
    report.show(measures, ratios, facts, Console(width=150, highlight=False))
    if not chosen.parts:
        report.save(measures, ratios, facts)


def _add(results: tuple[list[Measure], list[Ratio]], measures: list[Measure], ratios: list[Ratio]) -> None:
    measures += results[0]
    ratios += results[1]


if __name__ == "__main__":
    main()
