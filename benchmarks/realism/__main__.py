"""Compare generated histories with real ones: ``python -m benchmarks.realism --repo CLONE --repo CLONE``."""

import argparse
import datetime
import math
from pathlib import Path

from benchmarks.realism.classifier import accuracies, telling
from benchmarks.realism.histories import Change, generate, read_clone
from benchmarks.realism.tells import TELLS

#: Half of 2025, the year of the published figures: when, and of whom, if nothing else is said.
SINCE, UNTIL = datetime.date(2025, 7, 1), datetime.date(2025, 12, 31)
ORGANISATIONS = ("dify", "formbricks", "trigger", "surrealdb", "polar", "astro")


def main() -> None:
    """Print the tells of both kinds of histories, and how well a classifier knows them apart."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.realism", description=__doc__)
    parser.add_argument(
        "--repo", action="append", default=[], help="a clone whose pull requests are squashed"
    )
    parser.add_argument("--org", action="append", help=f"default: {' '.join(ORGANISATIONS)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--since", type=datetime.date.fromisoformat, default=SINCE)
    parser.add_argument("--until", type=datetime.date.fromisoformat, default=UNTIL)
    chosen = parser.parse_args()
    real = {_name(path): read_clone(Path(path), chosen.since, chosen.until) for path in chosen.repo}
    organisations = chosen.org or ORGANISATIONS
    made = {slug: generate(slug, chosen.seed, chosen.since, chosen.until) for slug in organisations}
    _print_tells(real, made)
    if len(real) == len(made):
        names = sorted(real)
        halves = [{name: real[name] for name in names[start::2]} for start in (0, 1)]
        controls = accuracies(*halves) if len(names) >= 4 and len(names) % 2 == 0 else {}
        for name, accuracy in accuracies(real, made).items():
            control = f"; real ones from real ones {controls[name]:.3f}" if controls else ""
            print(f"accuracy, held out: {name:40} {accuracy:.3f}{control}")
        for name, importance in telling(real, made)[:12]:
            print(f"  telling: {name:50} {importance:.3f}")


def _name(path: str) -> str:
    parts = [part for part in Path(path).resolve().parts if part not in ("repo", ".git")]
    return parts[-1].removesuffix(".git")


def _print_tells(real: dict[str, list[Change]], made: dict[str, list[Change]]) -> None:
    columns = [changes for changes in (*real.values(), *made.values()) if len(changes) >= 2]
    names = [name.rpartition("+")[2][:7] for name in (*real, *made)]
    print(f"{'':50} {'wanted':>12} " + " ".join(f"{name:>7}" for name in names))
    print(f"{'merged pull requests':50} {'':>12} " + " ".join(f"{len(changes):7}" for changes in columns))
    for tell in TELLS:
        bounds = [f"{bound:g}" if math.isfinite(bound) else "" for bound in (tell.low, tell.high)]
        wanted = " to ".join(bounds) if any(bounds) else ""
        figures = " ".join(f"{tell.figure(changes):7.3f}" for changes in columns)
        print(f"{tell.name:50} {wanted:>12} {figures}")


if __name__ == "__main__":
    main()
