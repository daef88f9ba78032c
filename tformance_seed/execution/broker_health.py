"""Report the state of the broker, its queues and its workers as findings of the doctor."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import dq_name, xq_name

from tformance_seed.doctor.server import format_setting
from tformance_seed.errors import SeedError
from tformance_seed.execution.broker import HEARTBEAT_TIMEOUT, NAMESPACE, POLL_INTERVAL, QUEUES, connect
from tformance_seed.execution.broker_errors import broker_errors, explain
from tformance_seed.execution.broker_trial import find_queue
from tformance_seed.storage.schema.findings import Finding
from tformance_seed.urls import without_secrets

#: Seconds of observation: long enough that every idle worker asks for messages at least once.
OBSERVATION_TIME = 4 * POLL_INTERVAL / 1000


@dataclass(frozen=True)
class Queue:
    """The numbers of messages in a queue: waiting, delayed, being processed (None: unknown), and dead."""

    name: str
    waiting: int
    delayed: int
    running: int | None
    dead: int


def check_broker(url: str) -> Iterator[Finding]:
    """Check the broker, its queues and whether they have workers; no message is sent or consumed.

    Raises:
      InputError: the URL is malformed, or needs a driver that is not installed.
    """
    config = connect(url)
    failures: tuple[type[Exception], ...] = (SeedError, *broker_errors())
    try:
        config.check()
        broker: Any = config.broker
        found = list(_redis(broker.client) if isinstance(broker, RedisBroker) else _rabbitmq(broker))
    except failures as error:
        yield Finding(
            "broker-unreachable",
            "error",
            without_secrets(url),
            str(error) if isinstance(error, SeedError) else explain(error),
            why="workers cannot be reached",
            todo="mend it, or name another one with --broker",
        )
        return
    finally:
        config.broker.close()
    yield from found


def _redis(client: Any) -> Iterator[Finding]:
    yield from _eviction(client)
    yield from _persistence(client)
    try:
        queues, alive = _redis_queues(client), _alive(client)
    except redis.ResponseError:
        yield _hidden("LLEN", "what waits, and whether workers are up")
        return
    yield from _queues(queues, alive)


def _redis_queues(client: Any) -> list[Queue]:
    queues = []
    for name in QUEUES:
        key = f"{NAMESPACE}:{name}"
        waiting, delayed = client.llen(key), client.llen(dq_key := f"{NAMESPACE}:{dq_name(name)}")
        in_all = client.hlen(f"{key}.msgs") + client.hlen(f"{dq_key}.msgs")
        running = max(0, in_all - waiting - delayed)
        queues.append(Queue(name, waiting, delayed, running, client.zcard(f"{key}.XQ")))
    return queues


def _alive(client: Any) -> int:
    """Return the number of consuming processes: those that keep asking for messages or are processing some.

    Processes that only send also leave heartbeats, but are unlikely to do so while they are observed.
    """
    key = f"{NAMESPACE}:__heartbeats__"
    before = dict(client.zrange(key, 0, -1, withscores=True))
    if not before:
        return 0
    time.sleep(OBSERVATION_TIME)
    recent = (time.time() * 1000 - HEARTBEAT_TIMEOUT, "+inf")
    alive = 0
    for process, moment in client.zrangebyscore(key, *recent, withscores=True):
        unacknowledged = [f"{NAMESPACE}:__acks__.{process.decode()}.{name}" for name in QUEUES]
        alive += moment > before.get(process, 0) or client.exists(*unacknowledged) > 0
    return alive


def _eviction(client: Any) -> Iterator[Finding]:
    memory = _permitted(client.info, "memory")
    if memory is None or "maxmemory" not in memory:
        yield _hidden("INFO", "whether it evicts messages when memory is short")
        return
    limit, policy = memory["maxmemory"], memory["maxmemory_policy"]
    safe = not limit or policy == "noeviction"
    yield Finding(
        "redis-eviction",
        "ok" if safe else "warning",
        "maxmemory-policy",
        f"{policy}, {format_setting(limit, 'B')} at most" if limit else "no limit to its memory",
        "noeviction",
        "with any other, Redis drops messages when memory is short",
        "" if safe else "set it, there or on your provider's page of parameters",
        None if safe else "redis-cli CONFIG SET maxmemory-policy noeviction",
    )


def _persistence(client: Any) -> Iterator[Finding]:
    stored = _permitted(client.info, "persistence")
    if stored is None:
        yield _hidden("INFO", "whether it keeps messages on disk")
        return
    saves = None
    if not stored["aof_enabled"]:
        configured = _permitted(client.config_get, "save")
        if configured is None:
            yield _hidden("CONFIG", "whether it saves snapshots; it writes no append-only file")
            return
        saves = configured["save"]
    yield Finding(
        "redis-persistence",
        "ok" if stored["aof_enabled"] else "advice" if saves else "warning",
        "appendonly",
        "yes" if stored["aof_enabled"] else f"no, but snapshots ({saves})" if saves else "no",
        "yes",
        "waiting messages are lost when it stops; a run sends them again only while a command waits for it",
        "" if stored["aof_enabled"] else "set it, there or on your provider's page of parameters",
        None if stored["aof_enabled"] else "redis-cli CONFIG SET appendonly yes",
    )


def _permitted(command: Any, section: str) -> dict[str, Any] | None:
    """Return the reply to a command that some providers forbid; None if it is forbidden here."""
    try:
        reply: dict[str, Any] = command(section)
    except redis.ResponseError:
        return None
    return reply


def _hidden(command: str, what: str) -> Finding:
    return Finding(
        "redis-hidden",
        "advice",
        f"command {command}",
        "not allowed here",
        why=f"it is unknown {what}",
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
        "rabbitmq-limited-visibility",
        "ok",
        "server",
        "memory alarms, disk and replication are not visible over AMQP",
        why="its queues are durable and its messages persistent, as Dramatiq declares them",
        todo="see its management page",
    )


def _declared(broker: Any, queue: str) -> tuple[int, int]:
    """Count a queue's messages and consumers; both 0 if it does not exist yet."""
    found = find_queue(broker.connection, queue)
    return (found.message_count, found.consumer_count) if found else (0, 0)


def _queues(queues: list[Queue], alive: int) -> Iterator[Finding]:
    for queue in queues:
        running = "" if queue.running is None else f", {queue.running:,} running"
        yield Finding(
            "queue", "ok", queue.name, f"{queue.waiting:,} waiting, {queue.delayed:,} delayed{running}"
        )
        if queue.dead:
            yield Finding(
                "dead-letters",
                "advice",
                queue.name,
                f"{queue.dead:,} dead messages",
                why="their tasks failed; they expire after 7 days",
                todo="see why, then send the tasks again with `tformance-seed retry RUN`",
                statement="tformance-seed status",
            )
    waiting = sum(queue.waiting + queue.delayed for queue in queues)
    if alive:
        return
    yield Finding(
        "waiting-without-workers" if waiting else "no-workers",
        "warning" if waiting else "advice",
        "workers",
        f"none, and {waiting:,} messages wait" if waiting else "none",
        "at least one",
        why="no process consumes the queues",
        todo="start some, on any machine that reaches broker and database",
        statement="tformance-seed worker",
    )
