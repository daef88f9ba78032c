"""Recommended machines, settings and workers for three sizes of database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Sizes in bytes.
MB = 2**20
GB = 2**30


@dataclass(frozen=True)
class Machine:
    """The machine of a database server: its memory in bytes, its cores, and how they are known.

    ``assumed``: the memory, the cores or both are a guess.
    """

    memory: int
    cores: int
    known_from: str = ""
    assumed: bool = False


@dataclass(frozen=True)
class Tier:
    """A size of database, up to ``max_teams`` and ``max_pull_requests``.

    ``settings`` are recommendations based on measurements, with memory in bytes; a setting without one is
    derived by its rule in ``RULES``. ``workers``: queue -> the number of its tasks that should run at the
    same time.
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

#: ``max_connections`` for tiers without a recommendation: the value of the largest tier that has one, since
#: PgBouncer pools any further connections.
MAX_CONNECTIONS = 200


@dataclass(frozen=True)
class Rule:
    """A rule that derives a setting from a machine.

    A value is accepted if its ratio to the recommendation is from ``min_share`` to ``max_share``; the latter
    is infinite if a higher value does no harm. ``by_load``: the tier decides, not the machine.
    """

    derive: Callable[[Machine], float]
    how: str
    why: str
    min_share: float = 0.8
    max_share: float = float("inf")
    by_load: bool = False


#: Setting -> its rule. The shares have these reasons: according to PostgreSQL's documentation, more than 40%
#: of memory for shared_buffers does not help; the operating system can use from half of the memory to all of
#: it as cache; with twice the work_mem, all connections together could need more than the memory.
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
    """Return a setting's value (memory in bytes) for a load on a machine, and a note on its origin."""
    rule = RULES[setting]
    measured = tier.settings.get(setting)
    same = (machine.memory, machine.cores) == (tier.machine.memory, tier.machine.cores)
    if measured is not None and (rule.by_load or same):
        return measured, f"as measured for tier {tier.name}"
    return rule.derive(machine), f"derived: {rule.how}"
