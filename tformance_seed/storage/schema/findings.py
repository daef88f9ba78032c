"""The results of checking a database, in words that a person can act on."""

from dataclasses import dataclass
from typing import Literal

#: ``error``: the database cannot be seeded. ``warning``: something is wrong or will be. ``advice``: it works
#: but could be better. ``ok``: nothing to do.
Severity = Literal["error", "warning", "advice", "ok"]

#: The stable names of all findings; docs/reference/findings.md explains them.
Name = Literal[
    "no-application",
    "search-path",
    "hidden-table",
    "missing-table",
    "missing-column",
    "unknown-column",
    "extra-column",
    "column-type",
    "column-null",
    "id-not-generated",
    "missing-unique-key",
    "extra-unique-key",
    "missing-index",
    "extra-index",
    "missing-foreign-key",
    "extra-foreign-key",
    "missing-check",
    "extra-check",
    "missing-privilege",
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
    "unused-application-index",
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
    "rabbitmq-limited-visibility",
]


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    ``where`` is the table, column, setting or queue it is about; ``now`` its state, ``recommended`` the state
    it should have (empty where none can be named); ``why`` it matters; ``todo`` is what to do; ``statement``
    does it, in SQL or as a command. A ``safe`` statement removes nothing, so a script may run it.
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
        """The current state and the recommended one."""
        recommended = f"recommended: {self.recommended}" if self.recommended else ""
        return f"{self.where}: {'; '.join(filter(None, (self.now, recommended)))}"

    @property
    def because(self) -> str:
        """The reason, and what to do."""
        return "; ".join(filter(None, (self.why, self.todo)))
