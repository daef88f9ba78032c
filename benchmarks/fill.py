"""Fills a database as the founding document has it: ``python -m benchmarks.fill URL [ORGANISATIONS]``.

A process of its own, so that its memory is its own. Prints one JSON object.
"""

import datetime
import json
import sys
import time
from pathlib import Path

import numpy as np

from tformance_seed.catalog.calibration import expected_usage_rows
from tformance_seed.catalog.organisations import load
from tformance_seed.commands import seed as seeding
from tformance_seed.execution import local
from tformance_seed.planning.plan import Plan, make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage.connection import connect

#: The document's figures for a hundred organisations.
ORGANISATIONS, PULL_REQUESTS, AI_USAGE = 100, 51_465, 1_300_000

DAYS, UNTIL = 90, datetime.date(2026, 3, 18)


def plan(count: int = ORGANISATIONS) -> list[Plan]:
    """So many organisations, each with its share of the document's rows."""
    first = UNTIL - datetime.timedelta(days=DAYS - 1)
    workdays = int(np.busday_count(first, UNTIL + datetime.timedelta(days=1)))
    planned = []
    for place, organisation in enumerate(list(load().values())[:count]):
        share = PULL_REQUESTS * (place + 1) // ORGANISATIONS - PULL_REQUESTS * place // ORGANISATIONS
        usage = AI_USAGE / ORGANISATIONS / expected_usage_rows(1, workdays, organisation.ai_adoption_rate)
        request = Request(
            organisations=[organisation.slug], members=round(usage), prs=share, days=DAYS, until=UNTIL
        )
        planned += make_plans(request, UNTIL)
    return planned


def main(url: str, count: int) -> None:
    """Seed, and say how long it took, by table too."""
    began = time.perf_counter()
    planned = plan(count)
    database = connect(url)
    request = Request(everything=True)
    with local.executor(database) as executor:
        outcome = seeding.run(database, executor, request, planned)
    seconds = time.perf_counter() - began
    database.close()
    assert not outcome.failures, outcome.failures
    tables: dict[str, list[float]] = {}
    for report in outcome.reports:
        for name, result in report.tables.items():
            so_far = tables.setdefault(name, [0, 0, 0.0])
            for place, value in enumerate((result.written, result.unchanged, result.seconds)):
                so_far[place] += value
    print(json.dumps({"seconds": seconds, "memory_mb": _peak_memory(), "tables": tables}))


def _peak_memory() -> float:
    """The most memory that this process had, in MB; ``getrusage`` would count what its parent had."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else ORGANISATIONS)
