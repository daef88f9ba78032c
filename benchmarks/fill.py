"""Fill a database to the size of the application's own: ``python -m benchmarks.fill URL [ORGANISATIONS]``.

Runs in a process of its own, so that its memory can be measured. Prints one JSON object.
"""

import datetime
import json
import sys
import time
from pathlib import Path

from tformance_seed.catalog.organisations import load_organisations
from tformance_seed.catalog.scales import SCALES
from tformance_seed.commands import seed as seeding
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage.connection import connect

SCALE = "document"


def main(url: str, count: int) -> None:
    """Seed, and print how long it took, in all and by table."""
    began = time.perf_counter()
    request = Request(organisations=list(load_organisations())[:count], scale=SCALE)
    planned = make_plans(request, datetime.datetime.now(datetime.UTC))
    database = connect(url)
    outcome = seeding.seed(database, request, planned)
    seconds = time.perf_counter() - began
    database.close()
    assert not outcome.failures, outcome.failures
    tables: dict[str, list[float]] = {}
    for report in outcome.reports:
        for name, result in report.tables.items():
            totals = tables.setdefault(name, [0, 0, 0.0])
            for position, value in enumerate((result.written, result.unchanged, result.seconds)):
                totals[position] += value
    print(json.dumps({"seconds": seconds, "memory_mb": _peak_memory(), "tables": tables}))


def _peak_memory() -> float:
    """Return the peak memory of this process in MB; ``getrusage`` would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else SCALES[SCALE].organisations)
