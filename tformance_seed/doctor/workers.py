"""The number of workers that a load needs."""

from collections.abc import Iterator

from tformance_seed.doctor.tiers import Tier
from tformance_seed.storage.schema.findings import Finding

#: Queues whose tasks keep a core busy, so that each task needs a process. Tasks of other queues mostly wait,
#: so they share a process with several threads.
COMPUTING = ("compute",)


def recommended_workers(tier: Tier, teams: int) -> Iterator[Finding]:
    """Yield a finding for each queue, with the command that starts its workers."""
    for queue, tasks in tier.workers.items():
        processes, threads = (tasks, 1) if queue in COMPUTING else (1, tasks)
        yield Finding(
            "workers",
            "advice",
            f"queue {queue}",
            "",
            f"{tasks} tasks at the same time",
            f"for {teams:,} teams, on all machines together; compute on no more than a machine has cores",
            statement=f"tformance-seed worker --queues {queue} --processes {processes} --threads {threads}",
        )
