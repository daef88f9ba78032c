"""What is recommended for how much: three sizes of database, their machines, settings and workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

MB = 2**20
GB = 2**30


@dataclass(frozen=True)
class Machine:
    """What a database server runs on: memory in bytes, processor cores; how both are known; whether one of
    them is but assumed.
    """

    memory: int
    cores: int
    known_from: str = ""
    assumed: bool = False


@dataclass(frozen=True)
class Tier:
    """A size of database.

    ``teams`` and ``pull_requests`` are the most that it is for; ``settings`` were recommended by measurement
    (bytes for memory), what is missing there is derived by the rule that the others follow; ``workers`` are
    how many tasks of each queue should run at the same time.
    """

    name: str
    teams: float
    pull_requests: float
    machine: Machine
    disk: str
    settings: Mapping[str, float]
    workers: Mapping[str, int]
    pooler: bool = False
    replica: bool = False


TIERS = (
    Tier(
        "starter",
        teams=10,
        pull_requests=100_000,
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
        teams=50,
        pull_requests=500_000,
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
        teams=float("inf"),
        pull_requests=float("inf"),
        machine=Machine(32 * GB, cores=8),
        disk="500 GB",
        settings={},
        workers={"sync": 16, "llm": 8, "compute": 8},
        pooler=True,
        replica=True,
    ),
)

#: Connections where no tier says: those of the largest one that does, since PgBouncer holds the others.
MOST_CONNECTIONS = 200


@dataclass(frozen=True)
class Rule:
    """How a setting follows from a machine.

    ``least`` and ``most`` are shares of the recommendation between which a value is right as it is; infinity
    where more does no harm. ``by_load``: the tier decides, not the machine.
    """

    derive: Callable[[Machine], float]
    how: str
    why: str
    least: float = 0.8
    most: float = float("inf")
    by_load: bool = False


#: Setting -> its rule. The shares: PostgreSQL's documentation finds no use in more than 40% of memory for
#: shared_buffers; from half of the memory to all of it can be cached by the operating system; twice the
#: work_mem of every connection is more than the memory.
RULES = {
    "shared_buffers": Rule(
        lambda machine: machine.memory / 4,
        "a quarter of memory",
        "PostgreSQL's own cache; what is in it needs no reading",
        most=1.6,
    ),
    "effective_cache_size": Rule(
        lambda machine: machine.memory * 3 / 4,
        "three quarters of memory",
        "tells the planner how much is likely to be cached, so that it dares to use indexes",
        least=0.66,
        most=1.3,
    ),
    "work_mem": Rule(
        lambda machine: machine.memory / 256,
        "a 256th of memory",
        "sorts and hashes that do not fit go to disk",
        most=2,
    ),
    "maintenance_work_mem": Rule(
        lambda machine: machine.memory / 16,
        "a sixteenth of memory",
        "VACUUM and CREATE INDEX go over large tables once instead of several times",
        most=4,
    ),
    "random_page_cost": Rule(
        lambda _: 1.1,
        "as for any SSD",
        "on an SSD a random read costs hardly more than the next one; a higher value shuns indexes",
        least=0.9,
        most=1.3,
    ),
    "effective_io_concurrency": Rule(
        lambda _: 200, "as for any SSD", "an SSD answers many reads at the same time"
    ),
    "max_parallel_workers_per_gather": Rule(
        lambda machine: machine.cores, "one for each core", "large reports are computed by several processes"
    ),
    "max_connections": Rule(
        lambda _: MOST_CONNECTIONS,
        "as in the next smaller tier",
        "every thread of the application and of the workers may hold one",
        by_load=True,
    ),
}


def tier_for(teams: int, pull_requests: int) -> Tier:
    """The smallest tier that is large enough."""
    return next(tier for tier in TIERS if teams <= tier.teams and pull_requests <= tier.pull_requests)


def recommended(setting: str, tier: Tier, machine: Machine) -> tuple[float, str]:
    """A setting's value for a load on a machine (bytes for memory), and what it was taken from."""
    rule = RULES[setting]
    measured = tier.settings.get(setting)
    same = (machine.memory, machine.cores) == (tier.machine.memory, tier.machine.cores)
    if measured is not None and (rule.by_load or same):
        return measured, f"as measured for tier {tier.name}"
    return rule.derive(machine), f"derived: {rule.how}"
