"""Show a run's progress on standard error while it is running."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tformance_seed.cli.blocks import counted
from tformance_seed.cli.console import Verbosity, print_error
from tformance_seed.cli.hints import PROGRAM

if TYPE_CHECKING:
    from tformance_seed.ledger import RunStatus, StageStatus

#: Seconds without any worker activity after which a hint explains how to go on.
NO_WORKER_HINT_AFTER = 30.0

#: Columns of a bar, so that it fits beside its name and figures where a terminal has 80.
BAR_WIDTH = 20

SECONDS_PER_MINUTE = MINUTES_PER_HOUR = 60

#: Seconds between updates of the progress bars of `status --watch`.
WATCH_INTERVAL = 1.0


@contextmanager
def progress(*, workers: bool) -> Iterator[Callable[["RunStatus"], None] | None]:
    """Yield a function that shows a run's progress on standard error.

    Parameters:
      workers: other processes do the work, so if none of them is active, print a hint on how to go on.
    Yields:
      The function; None if there are no workers and standard error is not a terminal.
    """
    if not workers and not _has_bars():
        yield None
        return
    with _progress_bars() as show_bars:
        silence = _Silence()

        def show_progress(status: "RunStatus") -> None:
            if workers:
                silence.check(status)
            show_bars(status)

        yield show_progress


@contextmanager
def export_progress() -> Iterator[Callable[[int, int, int], None] | None]:
    """Yield a function that shows the progress of an export on a terminal; None without one.

    It takes the number of organisations that are done, that of all, and the rows so far.
    """
    if not _has_bars():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("organisations"), BarColumn(BAR_WIDTH), MofNCompleteColumn())
    rows = TextColumn("{task.fields[rows]:,} rows")
    with Progress(*columns, rows, console=Console(stderr=True), transient=True) as bars:
        bar = bars.add_task("", total=None, rows=0)

        def show(done: int, total: int, rows: int) -> None:
            with suppress(OSError):
                bars.update(bar, completed=done, total=total, rows=rows)

        yield show


def watch(get_status: Callable[[], "RunStatus"]) -> None:
    """Show progress bars for a run on standard error until it is finished."""
    with _progress_bars() as show_bars:
        silence = _Silence()
        while not (status := get_status()).is_finished:
            silence.check(status)
            show_bars(status)
            time.sleep(WATCH_INTERVAL)


class _Silence:
    """Says so, in one line, when no worker has been active for a while."""

    def __init__(self) -> None:
        self._activity = -1
        self._since = 0.0
        self._is_told = False

    def check(self, status: "RunStatus") -> None:
        """Compare a run's status with the last one."""
        now = time.monotonic()
        if status.activity_counter != self._activity:
            self._activity, self._since, self._is_told = status.activity_counter, now, False
        elif not self._is_told and now - self._since > NO_WORKER_HINT_AFTER:
            self._is_told = True
            print_error(
                f"run {status.run} is waiting: no worker has started or finished a task for "
                f"{now - self._since:.0f} s; start a worker with: {PROGRAM} worker; or go on without one: "
                f"press Ctrl-C, then {PROGRAM} retry {status.run} --broker none"
            )


def _has_bars() -> bool:
    return sys.stderr.isatty() and not (Verbosity.quiet or Verbosity.verbose)


@contextmanager
def _progress_bars() -> Iterator[Callable[["RunStatus"], None]]:
    """Yield a function that draws a bar for the run, and one for each phase that has begun."""
    if not _has_bars():
        yield lambda _status: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(BAR_WIDTH),
        TextColumn("{task.fields[figures]}"),
        console=Console(stderr=True),
        transient=True,
    )
    bar_ids: dict[int | None, TaskID] = {}

    def show_bars(status: "RunStatus") -> None:
        for bar in progress_of(status):
            if bar.phase not in bar_ids:
                bar_ids[bar.phase] = bars.add_task(bar.name, total=1.0, figures="")
            with suppress(OSError):
                bars.update(
                    bar_ids[bar.phase], description=bar.name, completed=bar.share, figures=bar.figures
                )

    with bars:
        yield show_bars


@dataclass(frozen=True)
class Bar:
    """The bar of a phase, or of all: its name, how full it is, from 0 to 1, and the figures beside it."""

    phase: int | None

    name: str
    share: float
    figures: str


def progress_of(status: "RunStatus") -> Iterator[Bar]:
    """Yield a bar for the run, and one for each phase that an organisation has begun.

    How many tasks a phase has is known only of organisations that have begun it. So that no bar goes back, it
    shows the share of all organisations that are through the phase, and those in it by the share of their
    tasks; the figures say how many of the known tasks are done.
    """
    done = sum(job.state == "finished" for job in status.jobs)
    left = "" if status.seconds_left is None else f", about {duration(status.seconds_left)} left"
    percent = math.floor(100 * status.share)
    yield Bar(
        None, "all", status.share, f"{percent}%, {done} of {counted(len(status.jobs), 'organisation')}{left}"
    )
    stages: dict[int, dict[str, list[StageStatus]]] = {}
    for job in status.jobs:
        for stage in job.stages:
            stages.setdefault(stage.phase, {}).setdefault(stage.stage, []).append(stage)
    for phase, found in sorted(stages.items()):
        tasks = [stage for stages_of_jobs in found.values() for stage in stages_of_jobs]
        share = sum(job.share_of_phase(phase) for job in status.jobs) / len(status.jobs)
        done, known = sum(stage.done for stage in tasks), sum(stage.tasks for stage in tasks)
        names = ", ".join(name.replace("_", " ") for name in found)
        yield Bar(phase, names, share, f"{done:,} of {known:,} tasks known")


def duration(seconds: float) -> str:
    """Return a time in the words that people use, such as ``2 min 5 s``."""
    minutes, rest = divmod(round(seconds), SECONDS_PER_MINUTE)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, MINUTES_PER_HOUR)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
