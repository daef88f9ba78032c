"""What Dramatiq's own middleware lacks: prefetch per thread, a time limit that kills, restarts."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import dramatiq
from dramatiq.broker import MessageProxy
from dramatiq.middleware import Middleware

log = logging.getLogger(__name__)


class PrefetchSettings(Middleware):
    """Sets how a worker process prefetches messages.

    Dramatiq has environment variables for it, which are read at import and do not know how many threads
    there are.

    Parameters:
      prefetch: messages to hold for each thread, including those that are being processed.
      poll_interval: milliseconds after which an idle thread checks its queue again, at most.
    """

    def __init__(self, prefetch: int, poll_interval: int) -> None:
        self.prefetch = prefetch
        self.poll_interval = poll_interval

    def before_worker_boot(self, _broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Set it before consumers and threads are started."""
        worker.queue_prefetch = self.prefetch * worker.worker_threads
        worker.worker_timeout = self.poll_interval


class HardTimeLimit(Middleware):
    """Kills the process when one of its tasks runs for too long.

    Dramatiq's TimeLimit interrupts Python code alone; a task that hangs in a system call or a C extension
    ends only with its process. The broker returns the messages of the process to their queue.

    Parameters:
      limit: milliseconds; a message's option ``hard_time_limit`` overrides it.
      interval: seconds between two checks.
    """

    def __init__(self, limit: int, interval: float = 1.0) -> None:
        self.limit = limit
        self.interval = interval
        #: Thread -> (when to kill the process, in seconds of the monotonic clock; the message).
        self.deadlines: dict[int, tuple[float, MessageProxy]] = {}

    @property
    def actor_options(self) -> set[str]:
        """The options that messages may have for it."""
        return {"hard_time_limit"}

    def after_process_boot(self, _broker: dramatiq.Broker) -> None:
        """Start the thread that checks the deadlines."""
        threading.Thread(target=self._watch, daemon=True).start()

    def before_process_message(self, _broker: dramatiq.Broker, message: MessageProxy) -> None:
        """Set the deadline of a message."""
        limit = message.options.get("hard_time_limit", self.limit)
        self.deadlines[threading.get_ident()] = (time.monotonic() + limit / 1000, message)

    def after_process_message(self, *_message: Any, **_outcome: Any) -> None:
        """Remove the deadline."""
        self.deadlines.pop(threading.get_ident(), None)

    after_skip_message = after_process_message

    def _watch(self) -> None:
        while True:
            time.sleep(self.interval)
            for deadline, message in list(self.deadlines.values()):
                if time.monotonic() > deadline:
                    log.critical("killing this process: over the hard time limit: %s", message)
                    os.kill(os.getpid(), signal.SIGKILL)


class RestartAfter(Middleware):
    """Asks for the end of its process after a number of tasks, so that leaked memory cannot add up.

    Parameters:
      tasks: how many.
      stop: called once; lets the process finish its current tasks and exit.
    """

    def __init__(self, tasks: int, stop: Callable[[], None]) -> None:
        self.left = tasks
        self.stop = stop
        self._lock = threading.Lock()

    def after_process_message(self, *_message: Any, **_outcome: Any) -> None:
        """Count a task, whether it succeeded or not."""
        with self._lock:
            self.left -= 1
            due = self.left == 0
        if due:
            self.stop()

    after_skip_message = after_process_message


class OnThreadEnd(Middleware):
    """Calls a function in every worker thread that ends."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def before_worker_thread_shutdown(self, _broker: dramatiq.Broker, _thread: threading.Thread) -> None:
        """Call it, in the thread itself."""
        self.call()


class OnProcessStart(Middleware):
    """Calls a function in every worker process that starts."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def after_process_boot(self, _broker: dramatiq.Broker) -> None:
        """Call it, after a fork if there was one."""
        self.call()
