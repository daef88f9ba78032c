"""Middleware that Dramatiq lacks: prefetch per thread, a time limit that kills the process, restarts."""

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

    Dramatiq has environment variables for this, but reads them on import and cannot take the number of
    threads into account.

    Parameters:
      prefetch: messages to hold per thread, including the one being processed.
      poll_interval: maximum number of milliseconds after which an idle thread checks its queue again.
    """

    def __init__(self, prefetch: int, poll_interval: int) -> None:
        self.prefetch = prefetch
        self.poll_interval = poll_interval

    def before_worker_boot(self, _broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Apply the settings before consumers and threads are started."""
        worker.queue_prefetch = self.prefetch * worker.worker_threads
        worker.worker_timeout = self.poll_interval


class HardTimeLimit(Middleware):
    """Kills the process if one of its tasks runs for too long.

    Dramatiq's TimeLimit can interrupt only Python code. A task that hangs in a system call or a C extension
    can be ended only by killing its process. The broker returns the messages of the process to their queues.

    Parameters:
      limit: milliseconds; a message's option ``hard_time_limit`` overrides it.
      interval: seconds between checks.
    """

    def __init__(self, limit: int, interval: float = 1.0) -> None:
        self.limit = limit
        self.interval = interval
        #: Thread -> (when to kill the process, in seconds on the monotonic clock; the message).
        self.deadlines: dict[int, tuple[float, MessageProxy]] = {}

    @property
    def actor_options(self) -> set[str]:
        """The message options that this middleware understands."""
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
    """Stops its process after a number of tasks, so that leaked memory cannot accumulate.

    Parameters:
      tasks: the number of tasks.
      stop: called once; makes the process finish its current tasks and exit.
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
    """Calls a function in each worker thread before the thread ends."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def before_worker_thread_shutdown(self, _broker: dramatiq.Broker, _thread: threading.Thread) -> None:
        """Call the function, in the thread itself."""
        self.call()


class OnProcessStart(Middleware):
    """Calls a function in each worker process when it starts."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def after_process_boot(self, _broker: dramatiq.Broker) -> None:
        """Call the function, after the fork if there was one."""
        self.call()
