"""How many workers a load needs, and how the broker and those that run are doing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name, xq_name

from tformance_seed.doctor.server import shown
from tformance_seed.doctor.tiers import Tier
from tformance_seed.errors import SeedError
from tformance_seed.execution import broker as brokers
from tformance_seed.execution.broker import HEARTBEAT_TIMEOUT, NAMESPACE, POLL_INTERVAL
from tformance_seed.execution.broker_errors import connection_errors, error_message
from tformance_seed.execution.executor import QUEUES
from tformance_seed.storage.schema.findings import Finding

#: Queues whose tasks keep a core busy, so that each gets a process; the others wait, in threads of one.
COMPUTING = ("compute",)

#: Seconds in which every idle worker asks for messages at least once.
LOOK = 4 * POLL_INTERVAL / 1000


@dataclass(frozen=True)
class Queue:
    """Messages of a queue: waiting, put off for a while, in hand, and given up."""

    name: str
    waiting: int
    delayed: int
    in_hand: int | None
    dead: int


def recommended(tier: Tier, teams: int) -> Iterator[Finding]:
    """A command for each queue."""
    for queue, tasks in tier.workers.items():
        processes, threads = (tasks, 1) if queue in COMPUTING else (1, tasks)
        yield Finding(
            "workers",
            "advises",
            f"queue {queue}",
            "",
            f"{tasks} tasks at the same time",
            f"for {teams:,} teams, over all machines; on none more that compute than it has cores",
            statement=f"tformance-seed worker --queues {queue} --processes {processes} --threads {threads}",
        )


def check(url: str) -> Iterator[Finding]:
    """The broker, its queues, and who is there to take from them. Sends and takes nothing.

    Raises:
      InputError: the URL is malformed, or names a kind whose driver is not installed.
    """
    config = brokers.connect(url)
    try:
        config.check()
        with_redis = isinstance(config.broker, RedisBroker)
        found = list(_redis(config.broker.client) if with_redis else _rabbitmq(config.broker))
    except (SeedError, redis.RedisError, *connection_errors()) as error:
        yield Finding(
            "broker-unreachable",
            "stops",
            brokers.redacted(url),
            str(error) if isinstance(error, SeedError) else error_message(error),
            why="nothing can be handed out to workers",
            todo="start it, or name another with --broker",
        )
        return
    finally:
        config.broker.close()
    yield from found


def _redis(client: redis.Redis) -> Iterator[Finding]:
    yield from _eviction(client)
    yield from _persistence(client)
    queues = []
    for name in QUEUES:
        key = f"{NAMESPACE}:{name}"
        waiting, delayed = client.llen(key), client.llen(dq_key := f"{NAMESPACE}:{dq_name(name)}")
        held = client.hlen(f"{key}.msgs") + client.hlen(f"{dq_key}.msgs")
        queues.append(
            Queue(name, waiting, delayed, max(0, held - waiting - delayed), client.zcard(f"{key}.XQ"))
        )
    yield from _queues(queues, _alive(client))


def _alive(client: redis.Redis) -> int:
    """Processes that take messages: they ask for some all the time, or hold some.

    Who only sends gives signs of life too, but none while we look.
    """
    key = f"{NAMESPACE}:__heartbeats__"
    before = dict(client.zrange(key, 0, -1, withscores=True))
    if not before:
        return 0
    time.sleep(LOOK)
    recent = (time.time() * 1000 - HEARTBEAT_TIMEOUT, "+inf")
    alive = 0
    for process, moment in client.zrangebyscore(key, *recent, withscores=True):
        held = [f"{NAMESPACE}:__acks__.{process.decode()}.{name}" for name in QUEUES]
        alive += moment > before.get(process, 0) or client.exists(*held) > 0
    return alive


def _eviction(client: redis.Redis) -> Iterator[Finding]:
    memory = _asked(client.info, "memory")
    if memory is None or "maxmemory" not in memory:
        yield _hidden("INFO", "whether it evicts messages when memory is short")
        return
    most, policy = memory["maxmemory"], memory["maxmemory_policy"]
    safe = not most or policy == "noeviction"
    yield Finding(
        "redis-eviction",
        "fine" if safe else "warns",
        "maxmemory-policy",
        f"{policy}, {shown(most, 'B')} at most" if most else "no limit to its memory",
        "noeviction",
        "with any other, Redis throws messages away when memory is short",
        "" if safe else "set it, there or on your provider's page of parameters",
        None if safe else "redis-cli CONFIG SET maxmemory-policy noeviction",
    )


def _persistence(client: redis.Redis) -> Iterator[Finding]:
    stored = _asked(client.info, "persistence")
    if stored is None:
        yield _hidden("INFO", "whether it keeps messages on disk")
        return
    saves = None
    if not stored["aof_enabled"]:
        configured = _asked(client.config_get, "save")
        if configured is None:
            yield _hidden("CONFIG", "whether it saves snapshots; it appends nothing to a file")
            return
        saves = configured["save"]
    yield Finding(
        "redis-persistence",
        "fine" if stored["aof_enabled"] else "advises" if saves else "warns",
        "appendonly",
        "yes" if stored["aof_enabled"] else f"no, but a snapshot now and then ({saves})" if saves else "no",
        "yes",
        "what waits in it is lost when it stops; a run sends it again only while somebody waits for it",
        "" if stored["aof_enabled"] else "set it, there or on your provider's page of parameters",
        None if stored["aof_enabled"] else "redis-cli CONFIG SET appendonly yes",
    )


def _asked(command: Any, section: str) -> dict[str, Any] | None:
    """The answer of a command that providers like to forbid; None where they do."""
    try:
        return command(section)
    except redis.ResponseError:
        return None


def _hidden(command: str, what: str) -> Finding:
    return Finding(
        "redis-hidden",
        "advises",
        f"command {command}",
        "not allowed here",
        why=f"so it cannot be told {what}",
        todo="see your provider's page: maxmemory-policy should be noeviction, appendonly yes",
    )


def _rabbitmq(broker: Any) -> Iterator[Finding]:
    queues, alive = [], 0
    for name in QUEUES:
        waiting, consumers = _declared(broker, name)
        delayed, _ = _declared(broker, dq_name(name))
        dead, _ = _declared(broker, xq_name(name))
        queues.append(Queue(name, waiting, delayed, None, dead))
        alive += consumers
    yield from _queues(queues, alive)
    yield Finding(
        "rabbitmq-untold",
        "fine",
        "server",
        "memory alarms, disk and replication cannot be seen by AMQP",
        why="its queues are durable and its messages persistent, as Dramatiq declares them",
        todo="see its management page",
    )


def _declared(broker: Any, queue: str) -> tuple[int, int]:
    """Messages and consumers of a queue, by a passive declaration; none where nobody declared it yet."""
    from pika.exceptions import ChannelClosedByBroker

    channel = broker.connection.channel()  # the server closes it when there is no such queue
    try:
        method = channel.queue_declare(queue, passive=True).method
    except ChannelClosedByBroker:
        return 0, 0
    channel.close()
    return method.message_count, method.consumer_count


def _queues(queues: list[Queue], alive: int) -> Iterator[Finding]:
    for queue in queues:
        hand = "" if queue.in_hand is None else f", {queue.in_hand:,} in hand"
        yield Finding(
            "queue", "fine", queue.name, f"{queue.waiting:,} waiting, {queue.delayed:,} put off{hand}"
        )
        if queue.dead:
            yield Finding(
                "dead-letters",
                "advises",
                queue.name,
                f"{queue.dead:,} messages given up",
                why="their tasks failed; they go by themselves after 7 days",
                todo="see why, then send the tasks again with `tformance-seed retry RUN`",
                statement="tformance-seed status",
            )
    waiting = sum(queue.waiting + queue.delayed for queue in queues)
    if alive:
        return
    yield Finding(
        "waiting-without-workers" if waiting else "no-workers",
        "warns" if waiting else "advises",
        "workers",
        f"none, and {waiting:,} messages wait" if waiting else "none",
        "at least one",
        why="nobody takes messages from the queues",
        todo="start some, on any machine that reaches broker and database",
        statement="tformance-seed worker",
    )
