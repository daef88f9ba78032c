"""How many workers a load needs."""

from collections.abc import Iterator

from tformance_seed.doctor.tiers import Tier
from tformance_seed.storage.schema.findings import Finding

#: Queues whose tasks keep a core busy, so that each gets a process; the others wait, in threads of one.
COMPUTING = ("compute",)


def recommended_workers(tier: Tier, teams: int) -> Iterator[Finding]:
    """Yield a command for each queue."""
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
