"""Recommendations for three sizes of database: machines, settings and workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Bytes.
MB = 2**20
GB = 2**30


@dataclass(frozen=True)
class Machine:
    """The machine of a database server: memory in bytes, processor cores, how they are known.

    ``assumed``: at least one of them is a guess.
    """

    memory: int
    cores: int
    known_from: str = ""
    assumed: bool = False


@dataclass(frozen=True)
class Tier:
    """A size of database, up to ``max_teams`` and ``max_pull_requests``.

    ``settings`` were recommended by measurement (memory in bytes); a setting that is missing there is derived
    by the rule that the others follow. ``workers``: how many tasks of each queue should run at the same time.
    """

    name: str
    max_teams: float
    max_pull_requests: float
    machine: Machine
    disk: str
    settings: Mapping[str, float]
    workers: Mapping[str, int]
    pooler: bool = False
    replica: bool = False


#: From the smallest to the largest.
TIERS = (
    Tier(
        "starter",
        max_teams=10,
        max_pull_requests=100_000,
        machine=Machine(4 * GB, cores=2),
        disk="50 GB",
        settings={
            "shared_buffers": 1 * GB,
            "effective_cache_size": 3 * GB,
            "work_mem": 16 * MB,
            "maintenance_work_mem": 256 * MB,
            "random_page_cost": 1.1,
            "effective_io_concurrency": 200,
            "max_connections": 100,
        },
        workers={"sync": 4, "llm": 2, "compute": 2},
    ),
    Tier(
        "growth",
        max_teams=50,
        max_pull_requests=500_000,
        machine=Machine(8 * GB, cores=4),
        disk="100 GB",
        settings={
            "shared_buffers": 2 * GB,
            "effective_cache_size": 6 * GB,
            "work_mem": 32 * MB,
            "max_parallel_workers_per_gather": 4,
            "max_connections": 200,
        },
        workers={"sync": 8, "llm": 4, "compute": 4},
        pooler=True,
    ),
    Tier(
        "scale",
        max_teams=float("inf"),
        max_pull_requests=float("inf"),
        machine=Machine(32 * GB, cores=8),
        disk="500 GB",
        settings={},
        workers={"sync": 16, "llm": 8, "compute": 8},
        pooler=True,
        replica=True,
    ),
)

#: ``max_connections`` where a tier has none: that of the largest that has, since PgBouncer pools the others.
MAX_CONNECTIONS = 200


@dataclass(frozen=True)
class Rule:
    """How a setting is derived from a machine.

    A value between the shares ``min_share`` and ``max_share`` of the recommendation is accepted; the latter
    is infinite where more does no harm. ``by_load``: the tier decides, not the machine.
    """

    derive: Callable[[Machine], float]
    how: str
    why: str
    min_share: float = 0.8
    max_share: float = float("inf")
    by_load: bool = False


#: Setting -> its rule. On the shares: by PostgreSQL's documentation more than 40% of memory is of no use as
#: shared_buffers; the operating system can cache from half of the memory to all of it; twice the work_mem of
#: every connection is more than the memory.
RULES = {
    "shared_buffers": Rule(
        lambda machine: machine.memory / 4,
        "a quarter of memory",
        "PostgreSQL's own cache, whose contents need no reading",
        max_share=1.6,
    ),
    "effective_cache_size": Rule(
        lambda machine: machine.memory * 3 / 4,
        "three quarters of memory",
        "the planner's estimate of what is cached; too low a value avoids indexes",
        min_share=0.66,
        max_share=1.3,
    ),
    "work_mem": Rule(
        lambda machine: machine.memory / 256,
        "a 256th of memory",
        "larger sorts and hashes are written to disk",
        max_share=2,
    ),
    "maintenance_work_mem": Rule(
        lambda machine: machine.memory / 16,
        "a sixteenth of memory",
        "VACUUM and CREATE INDEX read large tables once instead of several times",
        max_share=4,
    ),
    "random_page_cost": Rule(
        lambda _: 1.1,
        "as for any SSD",
        "on an SSD a random read costs hardly more than a sequential one; a higher value avoids indexes",
        min_share=0.9,
        max_share=1.3,
    ),
    "effective_io_concurrency": Rule(
        lambda _: 200, "as for any SSD", "an SSD serves many reads at the same time"
    ),
    "max_parallel_workers_per_gather": Rule(
        lambda machine: machine.cores, "one for each core", "large reports are computed by several processes"
    ),
    "max_connections": Rule(
        lambda _: MAX_CONNECTIONS,
        "as in the next smaller tier",
        "every thread of the application and of the workers may use one",
        by_load=True,
    ),
}


def tier_for(teams: int, pull_requests: int) -> Tier:
    """Return the smallest tier that is large enough."""
    return next(tier for tier in TIERS if teams <= tier.max_teams and pull_requests <= tier.max_pull_requests)


def recommended_value(setting: str, tier: Tier, machine: Machine) -> tuple[float, str]:
    """Return a setting's value for a load on a machine (memory in bytes), and where it comes from."""
    rule = RULES[setting]
    measured = tier.settings.get(setting)
    same = (machine.memory, machine.cores) == (tier.machine.memory, tier.machine.cores)
    if measured is not None and (rule.by_load or same):
        return measured, f"as measured for tier {tier.name}"
    return rule.derive(machine), f"derived: {rule.how}"
