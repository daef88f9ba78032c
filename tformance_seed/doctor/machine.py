"""Memory and cores of the database server: stated by the user, read from the server, or detected here."""

import os
import re
from dataclasses import dataclass

import peewee

from tformance_seed.bulk.peewee_internals import driver_connection, execute_sql
from tformance_seed.doctor.tiers import GB, MB, Machine, Tier
from tformance_seed.errors import InputError

#: Units for the option --ram, in bytes.
SIZES = {"MB": MB, "GB": GB, "TB": 1024 * GB}

#: Reads files of a Linux server, which only superusers and members of pg_read_server_files may do. A
#: container's limits are in the files of its control group (version 2), if it has one.
FILES = """
    SELECT pg_read_file('/proc/meminfo', 0, 1000, true), pg_read_file('/proc/cpuinfo', 0, 1000000, true),
           pg_read_file('/sys/fs/cgroup/memory.max', 0, 100, true),
           pg_read_file('/sys/fs/cgroup/cpu.max', 0, 100, true)"""
#: Selects whether the user may read these files.
MAY_READ = """
    SELECT has_function_privilege('pg_read_file(text, bigint, bigint, boolean)', 'EXECUTE')
           AND pg_has_role('pg_read_server_files', 'MEMBER')"""

#: Names and addresses of the loopback interface.
LOOPBACK = ("localhost", "127.0.0.1", "::1")


#: The minimum memory of a server, in bytes.
MIN_MEMORY = 128 * MB

#: The maximum number of cores or teams, to catch typing errors.
MAX_COUNT = 1_000_000


@dataclass(frozen=True)
class Overrides:
    """The user's statements: memory (bytes) and cores of the server, and expected teams. None: detect it."""

    memory: int | None = None
    cores: int | None = None
    teams: int | None = None

    @classmethod
    def parse(cls, ram: str | None, cpus: int | None, teams: int | None) -> "Overrides":
        """Return the overrides from options of the command line.

        Raises:
          InputError: one of them is not a sensible amount.
        """
        for option, number in (("cpus", cpus), ("teams", teams)):
            if number is not None and not 1 <= number <= MAX_COUNT:
                raise InputError(f"--{option} {number}: expected an integer, 1 to {MAX_COUNT:,}")
        if ram is None:
            return cls(None, cpus, teams)
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?) ?([MGT])i?B?", ram.strip(), re.IGNORECASE)
        memory = float(match[1]) * SIZES[match[2].upper() + "B"] if match else 0
        if memory < MIN_MEMORY:
            raise InputError(
                f"--ram {ram}: expected the server's memory, such as 8GB or 512MB "
                f"(at least {MIN_MEMORY // MB}MB)"
            )
        return cls(int(memory), cpus, teams)


def detect_machine(database: peewee.Database, overrides: Overrides, tier: Tier) -> Machine:
    """Return the machine of a PostgreSQL server.

    Each source is tried in turn: the user's statements, the server's files, this machine if the server runs
    here, and finally the tier's machine, as an assumption.
    """
    if overrides.memory and overrides.cores:
        return Machine(overrides.memory, overrides.cores, "as given")
    assumed = Machine(tier.machine.memory, tier.machine.cores, f"assumed, as of tier {tier.name}", True)
    found = _from_server(database) or _this_machine(database) or assumed
    memory, cores = overrides.memory or found.memory, overrides.cores or found.cores
    if overrides.memory:
        return Machine(memory, cores, f"memory as given, cores {found.known_from}", found.assumed)
    if overrides.cores:
        return Machine(memory, cores, f"cores as given, memory {found.known_from}", found.assumed)
    return found


def _from_server(database: peewee.Database) -> Machine | None:
    ((may_read,),) = execute_sql(database, MAY_READ)
    if not may_read:
        return None
    try:
        with database.atomic():
            ((memory, processors, memory_limit, time_limit),) = execute_sql(database, FILES)
    except peewee.DatabaseError:  # some systems and providers forbid this to every user
        return None
    kilobytes = re.search(r"MemTotal:\s+(\d+)", memory or "")
    cores = len(re.findall(r"^processor\s*:", processors or "", re.MULTILINE))
    if not kilobytes or not cores:
        return None
    total = int(kilobytes[1]) * 1024
    if limit := re.match(r"\d+", memory_limit or ""):
        total = min(total, int(limit[0]))
    if share := re.match(r"(\d+) (\d+)", time_limit or ""):
        cores = min(cores, max(1, round(int(share[1]) / int(share[2]))))
    return Machine(_installed_memory(total), cores, "from the server")


def _this_machine(database: peewee.Database) -> Machine | None:
    """Return this machine if client and server communicate through a socket or the loopback interface."""
    addresses = "SELECT host(inet_server_addr()), host(inet_client_addr())"
    ((server, client),) = execute_sql(database, addresses)
    host = driver_connection(database).info.host or "/"
    if not (host.startswith("/") or (host in LOOPBACK and server in LOOPBACK and client in LOOPBACK)):
        return None
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(_installed_memory(total), os.cpu_count() or 1, "of this machine, where the server runs")


def _installed_memory(memory: int) -> int:
    """Return the installed memory, rounded up to whole GB.

    The memory that the kernel reports does not include the part that it reserves for itself.
    """
    return memory if memory < GB else -(-memory // GB) * GB
