"""What Dramatiq's own middleware leaves out: consumption by threads, a limit that kills, restarts."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware

log = logging.getLogger(__name__)


class Consumption(Middleware):
    """How a worker process takes messages.

    Dramatiq has environment variables for it, absolute and read at import; this knows the threads.

    Parameters:
      prefetch: messages to hold for each thread, those in hand included.
      idle: milliseconds between two looks at an idle queue, at most.
    """

    def __init__(self, prefetch: int, idle: int) -> None:
        self.prefetch = prefetch
        self.idle = idle

    def before_worker_boot(self, _broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        """Before consumers and threads are made."""
        worker.queue_prefetch = self.prefetch * worker.worker_threads
        worker.worker_timeout = self.idle


class HardTimeLimit(Middleware):
    """Kills the process when one of its tasks runs for too long.

    Dramatiq's TimeLimit interrupts Python code alone; a task that hangs in a system call or a C extension
    can only go with its process. Others bring what the process held back to the queue.

    Parameters:
      limit: milliseconds; a message's option ``hard_time_limit`` goes before.
    """

    def __init__(self, limit: int, interval: float = 1.0) -> None:
        self.limit = limit
        self.interval = interval
        self.deadlines: dict[int, tuple[float, dramatiq.Message]] = {}

    @property
    def actor_options(self) -> set[str]:
        """What messages may say of it."""
        return {"hard_time_limit"}

    def after_process_boot(self, _broker: dramatiq.Broker) -> None:
        """Begin to watch."""
        threading.Thread(target=self._watch, daemon=True).start()

    def before_process_message(self, _broker: dramatiq.Broker, message: dramatiq.Message) -> None:
        """A task begins."""
        limit = message.options.get("hard_time_limit", self.limit)
        self.deadlines[threading.get_ident()] = (time.monotonic() + limit / 1000, message)

    def after_process_message(
        self, _broker: dramatiq.Broker, _message: dramatiq.Message, **_outcome: Any
    ) -> None:
        """A task ended, however."""
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
    """Asks for an end of its process after so many tasks, so that what leaks memory cannot grow.

    Parameters:
      tasks: how many.
      stop: called once; it lets the process finish what is in hand and go.
    """

    def __init__(self, tasks: int, stop: Callable[[], None]) -> None:
        self.left = tasks
        self.stop = stop
        self._lock = threading.Lock()

    def after_process_message(
        self, _broker: dramatiq.Broker, _message: dramatiq.Message, **_outcome: Any
    ) -> None:
        """Count a task, whether it went well or not."""
        with self._lock:
            self.left -= 1
            due = self.left == 0
        if due:
            self.stop()

    after_skip_message = after_process_message


class ThreadEnd(Middleware):
    """Calls back in every worker thread that ends."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def before_worker_thread_shutdown(self, _broker: dramatiq.Broker, _thread: threading.Thread) -> None:
        """In the thread itself."""
        self.call()


class ProcessStart(Middleware):
    """Calls back in every worker process that begins."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def after_process_boot(self, _broker: dramatiq.Broker) -> None:
        """After a fork, if there was one."""
        self.call()
