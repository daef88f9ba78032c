"""How much memory and how many cores the database server has: as given, as it tells, or as this machine."""

import os
import re
from dataclasses import dataclass

import peewee

from tformance_seed.doctor.tiers import GB, MB, Machine, Tier
from tformance_seed.errors import InputError

SIZES = {"MB": MB, "GB": GB, "TB": 1024 * GB}

#: Where a Linux server says it; only superusers and pg_read_server_files may read files there. A container's
#: limits are those of its control group (version 2), where it has one.
FILES = """
    SELECT pg_read_file('/proc/meminfo', 0, 1000, true), pg_read_file('/proc/cpuinfo', 0, 1000000, true),
           pg_read_file('/sys/fs/cgroup/memory.max', 0, 100, true),
           pg_read_file('/sys/fs/cgroup/cpu.max', 0, 100, true)"""
MAY_READ = """
    SELECT has_function_privilege('pg_read_file(text, bigint, bigint, boolean)', 'EXECUTE')
           AND pg_has_role('pg_read_server_files', 'MEMBER')"""

LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Given:
    """What the user said: memory in bytes and cores of the server, and teams to expect. None: find out."""

    memory: int | None = None
    cores: int | None = None
    teams: int | None = None

    @classmethod
    def parse(cls, ram: str | None, cpus: int | None, teams: int | None) -> "Given":
        """From the options of the command line.

        Raises:
          InputError: one of them is no sensible amount.
        """
        for option, number in (("cpus", cpus), ("teams", teams)):
            if number is not None and not 1 <= number <= 1_000_000:
                raise InputError(f"--{option} {number}: want a whole number, at least 1")
        if ram is None:
            return cls(None, cpus, teams)
        match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?) ?([MGT])i?B?", ram.strip(), re.IGNORECASE)
        memory = float(match[1]) * SIZES[match[2].upper() + "B"] if match else 0
        if memory < 128 * MB:
            raise InputError(f"--ram {ram}: want the server's memory, such as 8GB or 512MB (at least 128MB)")
        return cls(int(memory), cpus, teams)


def machine(database: peewee.Database, given: Given, tier: Tier) -> Machine:
    """The machine of a PostgreSQL server: as given, as it tells, this one where it is here, or the tier's."""
    if given.memory and given.cores:
        return Machine(given.memory, given.cores, "as given")
    assumed = Machine(tier.machine.memory, tier.machine.cores, f"assumed, as of tier {tier.name}", True)
    found = _told(database) or _this_machine(database) or assumed
    memory, cores = given.memory or found.memory, given.cores or found.cores
    if given.memory:
        return Machine(memory, cores, f"memory as given, cores {found.known_from}", found.assumed)
    if given.cores:
        return Machine(memory, cores, f"cores as given, memory {found.known_from}", found.assumed)
    return found


def _told(database: peewee.Database) -> Machine | None:
    ((may,),) = database.execute_sql(MAY_READ)
    if not may:
        return None
    try:
        with database.atomic():
            ((memory, processors, memory_limit, time_limit),) = database.execute_sql(FILES)
    except peewee.DatabaseError:  # there are systems and providers that let nobody read them
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
    return Machine(_whole(total), cores, "as the server tells")


def _this_machine(database: peewee.Database) -> Machine | None:
    """This machine's, where server and client talk by a socket or by the loopback."""
    ((server, client),) = database.execute_sql("SELECT host(inet_server_addr()), host(inet_client_addr())")
    host = database.connection().info.host or "/"
    if not (host.startswith("/") or (host in LOCAL and server in LOCAL and client in LOCAL)):
        return None
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(_whole(total), os.cpu_count() or 1, "of this machine, on which the server is")


def _whole(memory: int) -> int:
    """Memory as it was bought: what the kernel keeps for itself is missing from what it tells."""
    return memory if memory < GB else -(-memory // GB) * GB
