"""Keeps the contexts of the jobs that a process works on."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from tformance_seed.pipeline.job_context import JobContext

#: Jobs whose contexts a process keeps.
CONTEXT_CACHE_SIZE = 8


class ContextCache:
    """The contexts of the jobs that were used last; threads that want the same one wait for its first.

    Parameters:
      load: makes the context of a job.
    """

    def __init__(self, load: Callable[[int], JobContext]) -> None:
        self._load = load
        self._contexts: OrderedDict[int, JobContext] = OrderedDict()
        self._loading: dict[int, threading.Lock] = {}
        self._lock = threading.Lock()

    def add(self, job: int, context: Callable[[], JobContext]) -> None:
        """Keep a new job's context if there is room, so that it need not be loaded."""
        if len(self._contexts) < CONTEXT_CACHE_SIZE:
            self._contexts[job] = context()

    def get(self, job: int) -> JobContext:
        """Return a job's context, loading it if need be."""
        with self._lock:
            loading = self._loading.setdefault(job, threading.Lock())
        with loading:
            with self._lock:
                context = self._contexts.get(job)
            if context is None:
                context = self._load(job)
            with self._lock:  # another thread may have discarded it meanwhile
                self._contexts[job] = context
                self._contexts.move_to_end(job)
                while len(self._contexts) > CONTEXT_CACHE_SIZE:
                    oldest, _ = self._contexts.popitem(last=False)
                    self._loading.pop(oldest, None)
        return context

    def discard(self, job: int) -> None:
        """Forget a job's context, which may rest on what was rolled back."""
        with self._lock:
            self._contexts.pop(job, None)
