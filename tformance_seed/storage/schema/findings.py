"""What is found where something is not as it should be, in words that a person can act on."""

from dataclasses import dataclass
from typing import Literal

#: ``stops``: seeding cannot go on. ``warns``: something is or will be wrong. ``advises``: it could be better.
#: ``fine``: it was looked at, and it is well.
Severity = Literal["stops", "warns", "advises", "fine"]

#: Every finding, by the name that it keeps; README.md says what each means.
Name = Literal[
    "no-application",
    "missing-table",
    "missing-column",
    "unknown-column",
    "extra-column",
    "column-type",
    "column-null",
    "id-not-numbered",
    "missing-unique-key",
    "extra-unique-key",
    "missing-index",
    "extra-index",
    "missing-foreign-key",
    "extra-foreign-key",
    "missing-check",
    "extra-check",
    "missing-right",
    "read-only",
    "setting",
    "setting-unsafe",
    "restart-pending",
    "machine-unknown",
    "machine-small",
    "pooler",
    "read-replica",
    "cache-hit-ratio",
    "unused-index",
    "unused-contract-index",
    "duplicate-index",
    "sequential-scans",
    "dead-rows",
    "never-analysed",
    "connections",
    "forced-checkpoints",
    "statements-not-recorded",
    "statements-hidden",
    "slow-statement",
    "workers",
    "broker-unreachable",
    "no-workers",
    "waiting-without-workers",
    "queue",
    "dead-letters",
    "redis-eviction",
    "redis-persistence",
    "redis-hidden",
    "rabbitmq-untold",
]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    ``where`` is the table, column, setting, queue it is about; ``now`` what it is, ``recommended`` what it
    should be (empty where there is no saying); ``why`` it matters; ``todo`` is what to do; ``statement``
    does it, in SQL or as a command. A ``safe`` statement takes nothing away, so a script may run it.
    """

    name: Name
    severity: Severity
    where: str
    now: str
    recommended: str = ""
    why: str = ""
    todo: str = ""
    statement: str | None = None
    safe: bool = False

    @property
    def state(self) -> str:
        """What is, and what should be."""
        wish = f"recommended: {self.recommended}" if self.recommended else ""
        return f"{self.where}: {'; '.join(filter(None, (self.now, wish)))}"

    @property
    def because(self) -> str:
        """Why, and what to do."""
        return "; ".join(filter(None, (self.why, self.todo)))
