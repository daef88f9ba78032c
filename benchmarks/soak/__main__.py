"""Soak: random kills and hostile inputs, for as long as wanted: ``python -m benchmarks.soak``.

    python -m benchmarks.soak --kills 1000 --inputs 10000 --seed 1

A third of the kills each go to runs on SQLite, on PostgreSQL, and on workers behind Redis. Every run must end
with the content of an undisturbed one, whatever was killed. Every hostile input must end in the package's own
error, or in none. Prints what was done and found as JSON, which a full run keeps here too, as results.json;
the exit status is 1 if anything was found.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.soak import hostile, kills
from benchmarks.soak.findings import Findings

#: The numbers of kills and inputs of a full run, and where its figures are kept.
FULL = {"kills": 1_000, "inputs": 10_000}
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run as many kills and inputs as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument(
        "--kills", type=int, default=30, metavar="N", help="processes and connections to kill"
    )
    parser.add_argument("--inputs", type=int, default=300, metavar="N", help="hostile inputs to try")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="S", help="another number kills at other instants"
    )
    chosen = parser.parse_args()
    began, findings = time.monotonic(), Findings()
    if chosen.kills:
        kills.run(chosen.kills, chosen.seed, findings)
    if chosen.inputs:
        hostile.run(chosen.inputs, chosen.seed, findings)
    report = {"seed": chosen.seed, "seconds": round(time.monotonic() - began), **vars(findings)}
    text = json.dumps(report, indent=2)
    print(text)
    if chosen.kills >= FULL["kills"] and chosen.inputs >= FULL["inputs"]:
        RESULTS.write_text(f"{text}\n")
    sys.exit(bool(findings.problems))


if __name__ == "__main__":
    main()
