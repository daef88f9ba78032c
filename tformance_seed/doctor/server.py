"""A PostgreSQL server's settings against what is recommended for its machine and load."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import peewee

from tformance_seed.doctor.tiers import GB, MB, RULES, Machine, Tier, recommended
from tformance_seed.storage.introspection import quoted
from tformance_seed.storage.schema.findings import Finding

#: What must be on, and what happens when it is off.
SAFETY = {
    "fsync": "a crash of the machine can destroy the database",
    "full_page_writes": "a crash of the machine can leave half-written pages",
    "autovacuum": "dead rows are never removed and the planner's statistics grow old",
    "track_counts": "autovacuum does not know what to do, and nobody what is used",
}

#: Units of pg_settings that are amounts of memory, in bytes, and those that people read.
UNITS = {"B": 1, "kB": 1024, "8kB": 8192, "16kB": 16384, "32kB": 32768, "MB": MB, "GB": GB}
SIZES = ((GB, "GB"), (MB, "MB"), (1024, "kB"), (1, "B"))

SETTINGS = """
    SELECT name, setting, coalesce(unit, ''), context, source
    FROM pg_settings WHERE name = ANY(%s)"""

PENDING = "SELECT name FROM pg_settings WHERE pending_restart ORDER BY name"

STANDING = """
    SELECT current_user, current_database(), current_setting('server_version_num')::int,
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
           pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER'),
           (SELECT count(*) FROM pg_stat_replication)"""

#: What follows a statement, by what it takes for it to take effect.
RESTART = "then restart the server"
RELOAD = "then SELECT pg_reload_conf();"
RECONNECT = "then connect anew"


@dataclass(frozen=True)
class Standing:
    """Who asks what: the database user, its database, the server's version, whether it is its superuser or
    owns the database, and how many standbys follow the server.
    """

    user: str
    database: str
    version: int
    superuser: bool
    owner: bool
    standbys: int


@dataclass(frozen=True)
class Setting:
    """A row of pg_settings."""

    name: str
    value: str
    unit: str
    context: str
    source: str

    @property
    def number(self) -> float:
        """In bytes where it is an amount of memory."""
        return float(self.value) * UNITS.get(self.unit, 1)

    def __str__(self) -> str:
        numeric = re.fullmatch(r"-?[\d.]+", self.value)
        return shown(self.number, self.unit) if numeric else self.value or "empty"


def standing(database: peewee.Database) -> Standing:
    """Who we are on the server."""
    (row,) = database.execute_sql(STANDING)
    return Standing(*row)


def settings(database: peewee.Database, names: Iterable[str]) -> dict[str, Setting]:
    """Settings of those names, as far as this user may see them."""
    return {row[0]: Setting(*row) for row in database.execute_sql(SETTINGS, (list(names),))}


def check(database: peewee.Database, who: Standing, machine: Machine, tier: Tier) -> Iterator[Finding]:
    """Every setting of ``RULES`` and ``SAFETY``, the machine, and what else a load of this size needs."""
    yield from _machine(machine, tier)
    waiting = settings(database, [name for (name,) in database.execute_sql(PENDING)])
    for name, setting in waiting.items():
        yield Finding(
            "restart-pending",
            "warns",
            name,
            f"still {setting}",
            why="it was changed, and the change takes effect when the server starts",
            todo="restart the server",
        )
    ready = settings(database, {*RULES, *SAFETY} - waiting.keys())
    for name in RULES:
        if name in ready:
            yield _rule(database, who, ready[name], machine, tier)
    for name in SAFETY:
        if name not in ready:
            continue
        on = ready[name].value == "on"
        do = {} if on else change(database, who, ready[name], "on")
        severity = "fine" if on else "warns"
        yield Finding("setting-unsafe", severity, name, ready[name].value, "on", SAFETY[name], **do)
    yield from _beside(who, tier)


def _rule(
    database: peewee.Database, who: Standing, setting: Setting, machine: Machine, tier: Tier
) -> Finding:
    rule = RULES[setting.name]
    want, how = recommended(setting.name, tier, machine)
    fits = rule.least * want <= setting.number <= rule.most * want
    do = {} if fits else change(database, who, setting, written(want, setting.unit))
    if machine.assumed and do:  # a server that is given more memory than there is may not start
        do["safe"] = False
    return Finding(
        "setting",
        "fine" if fits else "advises",
        setting.name,
        str(setting),
        shown(want, setting.unit),
        f"{rule.why} ({how})",
        **do,
    )


def _beside(who: Standing, tier: Tier) -> Iterator[Finding]:
    if tier.pooler:
        yield Finding(
            "pooler",
            "advises",
            "connections",
            "cannot be seen from here",
            "PgBouncer in transaction mode",
            f"tier {tier.name} has more clients than a server should have connections",
            "put it between, where it is not yet; nothing here relies on a session",
        )
    if tier.replica:
        yield Finding(
            "read-replica",
            "advises" if who.standbys == 0 else "fine",
            "standbys",
            str(who.standbys),
            "at least 1",
            f"in tier {tier.name} reports should not take memory and disk from those who write",
            "add a read replica and let dashboards ask it",
        )


def _machine(machine: Machine, tier: Tier) -> Iterator[Finding]:
    size = f"{tier.machine.cores} cores, {shown(tier.machine.memory, 'B')}, {tier.disk} SSD"
    now = f"{machine.cores} cores, {shown(machine.memory, 'B')}"
    if machine.assumed:
        yield Finding(
            "machine-unknown",
            "advises",
            "machine",
            f"{now}: {machine.known_from}",
            why="settings follow from memory and cores, which cannot be told from here",
            todo="say what it has, such as --ram 8GB --cpus 4",
        )
    elif machine.memory < tier.machine.memory or machine.cores < tier.machine.cores:
        yield Finding(
            "machine-small",
            "advises",
            "machine",
            now,
            size,
            f"that is what tier {tier.name} is meant to run on",
            "take a larger machine, if this one is slow",
        )


def change(database: peewee.Database, who: Standing, setting: Setting, *values: str) -> dict[str, Any]:
    """What to do about a setting, and the statement for it where this user may give one.

    Parameters:
      values: what it should be; several for a setting that is a list.
    Returns:
      ``todo``, ``statement`` and ``safe`` of a finding.
    """
    if setting.source in ("command line", "environment variable"):
        return {"todo": "it is set where the server is started; change it there, and restart"}
    # A value of a database or a role goes before that of the system, so it is changed where it stands.
    mine, here = f"ROLE {quoted(who.user)}", f"DATABASE {quoted(who.database)}"
    place = {"database": here, "user": mine, "database user": f"{mine} IN {here}"}.get(setting.source)
    if place is None and _may_alter_system(database, who, setting):
        place = "SYSTEM"
    if place is None and setting.context == "user":
        place = here if who.owner else mine
    if place is None:
        return {"todo": "set it on your provider's page of parameters: this database user may not"}
    when = RESTART if setting.context == "postmaster" else RELOAD if place == "SYSTEM" else RECONNECT
    right = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return {"todo": when, "statement": f"ALTER {place} SET {setting.name} = {right};", "safe": True}


def _may_alter_system(database: peewee.Database, who: Standing, setting: Setting) -> bool:
    if who.superuser or who.version < 150000:
        return who.superuser
    asked = database.execute_sql("SELECT has_parameter_privilege(%s, 'ALTER SYSTEM')", (setting.name,))
    return asked.fetchone()[0]


def shown(value: float, unit: str) -> str:
    """A value for people, of a setting with that unit (memory is in bytes): 6GB, 1.5MB, 1.1."""
    if unit not in UNITS:
        return f"{value:g}{unit}"
    size, name = next((pair for pair in SIZES if abs(value) >= pair[0]), SIZES[-1])
    return f"{value / size:.4g}{name}"


def written(value: float, unit: str) -> str:
    """The same for a statement: exact, to the kilobyte."""
    if unit not in UNITS:
        return f"{value:g}"
    size, name = next((pair for pair in SIZES if value % pair[0] == 0), SIZES[2])
    return f"{int(value // size)}{name}"
