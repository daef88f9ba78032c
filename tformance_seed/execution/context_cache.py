"""Cache the contexts of the jobs that a process works on."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from tformance_seed.pipeline.job_context import JobContext

#: The maximum number of jobs whose contexts a process keeps.
CONTEXT_CACHE_SIZE = 8


class ContextCache:
    """The contexts of the most recently used jobs.

    If several threads need the same context, one loads it and the others wait.

    Parameters:
      load: creates the context of a job.
    """

    def __init__(self, load: Callable[[int], JobContext]) -> None:
        self._load = load
        self._contexts: OrderedDict[int, JobContext] = OrderedDict()
        self._loading: dict[int, threading.Lock] = {}
        self._lock = threading.Lock()

    def add(self, job: int, context: Callable[[], JobContext]) -> None:
        """Keep a new job's context, if there is room, so that it need not be loaded later."""
        if len(self._contexts) < CONTEXT_CACHE_SIZE:
            self._contexts[job] = context()

    def get(self, job: int) -> JobContext:
        """Return a job's context; load it if necessary."""
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
        """Forget a job's context, since it may depend on rows that were rolled back."""
        with self._lock:
            self._contexts.pop(job, None)
