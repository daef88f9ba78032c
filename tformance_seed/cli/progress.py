"""Show a run's progress on standard error while it is running."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tformance_seed.cli.console import Verbosity, print_error
from tformance_seed.cli.hints import PROGRAM

if TYPE_CHECKING:
    from tformance_seed.ledger import RunStatus

#: Seconds without any worker activity after which a hint explains how to go on.
NO_WORKER_HINT_AFTER = 30.0

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
    """Yield a function that draws one bar for the organisations and one for each stage."""
    if not _has_bars():
        yield lambda _status: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar_ids: dict[str, TaskID] = {}

    def show_bars(status: "RunStatus") -> None:
        counts = {"organisations": (sum(job.is_finished for job in status.jobs), len(status.jobs))}
        for job in status.jobs:
            for stage in job.stages:
                done, total = counts.get(stage.stage, (0, 0))
                counts[stage.stage] = (done + stage.items_done, total + stage.items)
        for name, (done, total) in counts.items():
            if name not in bar_ids:
                bar_ids[name] = bars.add_task(name.replace("_", " "), total=total)
            with suppress(OSError):
                bars.update(bar_ids[name], completed=done, total=total)

    with bars:
        yield show_bars
