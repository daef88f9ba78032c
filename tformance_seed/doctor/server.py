"""Compare a PostgreSQL server's settings with those recommended for its machine and load."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypedDict

import peewee

from tformance_seed.bulk.peewee_internals import execute_sql
from tformance_seed.doctor.tiers import GB, MB, RULES, Machine, Tier, recommended_value
from tformance_seed.storage.introspection import quoted
from tformance_seed.storage.schema.findings import Finding

#: Setting that must be on -> what can happen if it is off.
SAFETY = {
    "fsync": "a crash of the machine can destroy the database",
    "full_page_writes": "a crash of the machine can leave half-written pages",
    "autovacuum": "dead rows are never removed and the planner's statistics grow old",
    "track_counts": "autovacuum has nothing to go by, and no use of an index is counted",
}

#: Memory units in pg_settings, in bytes; and the units to show to people, the largest first.
UNITS = {"B": 1, "kB": 1024, "8kB": 8192, "16kB": 16384, "32kB": 32768, "MB": MB, "GB": GB}
SIZES = ((GB, "GB"), (MB, "MB"), (1024, "kB"), (1, "B"))

#: Selects the fields of ``Setting``.
SETTINGS = """
    SELECT name, setting, coalesce(unit, ''), context, source
    FROM pg_settings WHERE name = ANY(%s)"""

#: Selects settings that have been changed but take effect only after a restart.
PENDING = "SELECT name FROM pg_settings WHERE pending_restart ORDER BY name"

#: Selects the fields of ``SessionInfo``.
SESSION = """
    SELECT current_user, current_database(), current_setting('server_version_num')::int,
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
           pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'MEMBER'),
           (SELECT count(*) FROM pg_stat_replication)"""

#: What to do after a statement so that its change takes effect.
RESTART = "then restart the server"
RELOAD = "then SELECT pg_reload_conf();"
RECONNECT = "then reconnect"

#: The first server version in which ALTER SYSTEM can be granted to users who are not superusers.
ALTER_SYSTEM_GRANTS = 150000


@dataclass(frozen=True)
class SessionInfo:
    """The session: user, database, the server's version (170002 is 17.2) and number of standbys.

    ``superuser``: whether the user is a superuser; ``owner``: whether the user owns the database.
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
        """The value as a number; in bytes if it is an amount of memory."""
        return float(self.value) * UNITS.get(self.unit, 1)

    def __str__(self) -> str:
        numeric = re.fullmatch(r"-?[\d.]+", self.value)
        return format_setting(self.number, self.unit) if numeric else self.value or "empty"


class Remedy(TypedDict, total=False):
    """The fields of a ``Finding`` that tell what to do about it."""

    todo: str
    statement: str | None
    safe: bool


def session_info(database: peewee.Database) -> SessionInfo:
    """Return information about the current session: its user, database and server."""
    (row,) = execute_sql(database, SESSION)
    return SessionInfo(*row)


def settings(database: peewee.Database, names: Iterable[str]) -> dict[str, Setting]:
    """Return the named settings, except any that this user may not see."""
    return {row[0]: Setting(*row) for row in execute_sql(database, SETTINGS, (list(names),))}


def check(database: peewee.Database, session: SessionInfo, machine: Machine, tier: Tier) -> Iterator[Finding]:
    """Check every setting of ``RULES`` and ``SAFETY``, the machine, and the infrastructure of the tier."""
    yield from _machine(machine, tier)
    pending = settings(database, [name for (name,) in execute_sql(database, PENDING)])
    for name, setting in pending.items():
        yield Finding(
            "restart-pending",
            "warning",
            name,
            f"still {setting}",
            why="it was changed, and the change becomes effective when the server starts",
            todo="restart the server",
        )
    effective = settings(database, {*RULES, *SAFETY} - pending.keys())
    for name in RULES:
        if name in effective:
            yield _check_rule(database, session, effective[name], machine, tier)
    for name in SAFETY:
        if name not in effective:
            continue
        value = effective[name].value
        if value == "on":
            yield Finding("setting-unsafe", "ok", name, value, "on", SAFETY[name])
        else:
            todo = remedy(database, session, effective[name], "on")
            yield Finding("setting-unsafe", "warning", name, value, "on", SAFETY[name], **todo)
    yield from _infrastructure(session, tier)


def _check_rule(
    database: peewee.Database, session: SessionInfo, setting: Setting, machine: Machine, tier: Tier
) -> Finding:
    rule = RULES[setting.name]
    expected, how = recommended_value(setting.name, tier, machine)
    accepted = rule.min_share * expected <= setting.number <= rule.max_share * expected
    todo = Remedy()
    if not accepted:
        todo = remedy(database, session, setting, sql_literal(expected, setting.unit))
        if machine.assumed:  # a server may not start with more memory than the machine has
            todo["safe"] = False
    return Finding(
        "setting",
        "ok" if accepted else "advice",
        setting.name,
        str(setting),
        format_setting(expected, setting.unit),
        f"{rule.why} ({how})",
        **todo,
    )


def _infrastructure(session: SessionInfo, tier: Tier) -> Iterator[Finding]:
    if tier.pooler:
        yield Finding(
            "pooler",
            "advice",
            "connections",
            "cannot be seen from here",
            "PgBouncer in transaction mode",
            f"tier {tier.name} has more clients than a server should have connections",
            "put it in between, if it is not yet; nothing here relies on a session",
        )
    if tier.replica:
        yield Finding(
            "read-replica",
            "advice" if session.standbys == 0 else "ok",
            "standbys",
            str(session.standbys),
            "at least 1",
            f"in tier {tier.name} reports should not compete with writers for memory and disk",
            "add a read replica for the dashboards",
        )


def _machine(machine: Machine, tier: Tier) -> Iterator[Finding]:
    size = f"{tier.machine.cores} cores, {format_setting(tier.machine.memory, 'B')}, {tier.disk} SSD"
    now = f"{machine.cores} cores, {format_setting(machine.memory, 'B')}"
    if machine.assumed:
        yield Finding(
            "machine-unknown",
            "advice",
            "machine",
            f"{now}: {machine.known_from}",
            why="settings depend on memory and cores, which cannot be detected from here",
            todo="state them, such as --ram 8GB --cpus 4",
        )
    elif machine.memory < tier.machine.memory or machine.cores < tier.machine.cores:
        yield Finding(
            "machine-small",
            "advice",
            "machine",
            now,
            size,
            f"that is what tier {tier.name} is meant to run on",
            "use a larger machine, if this one is slow",
        )


def remedy(database: peewee.Database, session: SessionInfo, setting: Setting, *values: str) -> Remedy:
    """Return how to change a setting, with the statement if this user may run one.

    Parameters:
      values: the new value, or several for a setting that is a list.
    """
    if setting.source in ("command line", "environment variable"):
        return {"todo": "it is set where the server is started; change it there, and restart"}
    # A value set for a database or a role overrides the system's value, so change it there.
    role, owned = f"ROLE {quoted(session.user)}", f"DATABASE {quoted(session.database)}"
    scope = {"database": owned, "user": role, "database user": f"{role} IN {owned}"}.get(setting.source)
    if scope is None and _may_alter_system(database, session, setting):
        scope = "SYSTEM"
    if scope is None and setting.context == "user":
        scope = owned if session.owner else role
    if scope is None:
        return {"todo": "set it on your provider's page of parameters: this database user may not"}
    effective = RESTART if setting.context == "postmaster" else RELOAD if scope == "SYSTEM" else RECONNECT
    literals = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return {"todo": effective, "statement": f"ALTER {scope} SET {setting.name} = {literals};", "safe": True}


def _may_alter_system(database: peewee.Database, session: SessionInfo, setting: Setting) -> bool:
    if session.superuser or session.version < ALTER_SYSTEM_GRANTS:
        return session.superuser
    privilege = "SELECT has_parameter_privilege(%s, 'ALTER SYSTEM')"
    ((granted,),) = execute_sql(database, privilege, (setting.name,))
    return bool(granted)


def format_setting(value: float, unit: str) -> str:
    """Format a setting's value for people, such as 6GB, 1.5MB or 1.1; an amount of memory is in bytes."""
    if unit not in UNITS:
        return f"{value:g}{unit}"
    size, name = next((pair for pair in SIZES if abs(value) >= pair[0]), SIZES[-1])
    return f"{value / size:.4g}{name}"


def sql_literal(value: float, unit: str) -> str:
    """Format a setting's value for a statement, exactly to the kilobyte; an amount of memory is in bytes."""
    if unit not in UNITS:
        return f"{value:g}"
    size, name = next((pair for pair in SIZES if value % pair[0] == 0), SIZES[2])
    return f"{int(value // size)}{name}"
