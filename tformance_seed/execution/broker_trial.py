"""Try out a broker before anything is entered.

It does all that carrying messages needs, on keys and queues of nobody: a user may be allowed some of its
commands and not others.
"""

import uuid
from typing import TYPE_CHECKING, Any

import dramatiq

if TYPE_CHECKING:
    from dramatiq.rate_limits import RateLimiterBackend
    from dramatiq.results import ResultBackend

#: Prefix of the keys and queues, which workers never use.
TRIAL = "tformance_seed-trial"

#: Milliseconds for which a trial's result and limit are kept.
TTL = 1_000


def try_redis(client: Any, limits: "RateLimiterBackend", results: "ResultBackend") -> None:
    """Send, receive, return, reject and remove a message, store a result, and count against a limit.

    Dramatiq's script runs every command that it has: rights are checked for each of them.

    Raises:
      redis.RedisError: the server does not answer, or refuses something.
    """
    from dramatiq.brokers.redis import MAINTENANCE_SCALE, RedisBroker

    broker: Any = RedisBroker(
        client=client,
        namespace=TRIAL,
        middleware=[],
        maintenance_chance=MAINTENANCE_SCALE,
        dead_message_ttl=0,
    )
    name = str(uuid.uuid4())
    client.ping()
    try:
        broker.do_enqueue(name, name, b"")
        broker.do_fetch(name, 1)
        alive, broker.heartbeat_timeout = broker.heartbeat_timeout, 0
        broker.do_fetch(name, 1)  # it counts as dead, so its message returns to the queue first
        broker.heartbeat_timeout = alive
        broker.do_nack(name, name)
    finally:
        broker.do_purge(name)
        client.zrem(f"{TRIAL}:__heartbeats__", broker.broker_id)
    limits.incr_and_sum(key := f"{TRIAL}-{name}", lambda: [key], 1, 1, TTL)
    message: dramatiq.Message[None] = dramatiq.Message(TRIAL, name, (), {}, {})
    results.store_result(message, None, TTL)


def try_rabbitmq(url: str) -> None:
    """Declare a queue, send a message to it and receive it; the queue is gone with the connection.

    Raises:
      pika.exceptions.AMQPError: the server does not answer, or refuses something.
    """
    import pika

    queue = f"{TRIAL}-{uuid.uuid4()}"
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, exclusive=True)
        channel.basic_publish("", queue, b"")
        channel.basic_get(queue, auto_ack=True)
