"""Try out a broker before anything is entered.

It does all that carrying messages needs, on keys and queues of nobody: a user may be allowed some of its
commands and not others.
"""

import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import dramatiq

if TYPE_CHECKING:
    from dramatiq.rate_limits import RateLimiterBackend
    from dramatiq.results import ResultBackend

#: Prefix of the keys and queues, which workers never use.
TRIAL = "tformance_seed-trial"

#: What RabbitMQ answers where there is no such queue.
NOT_FOUND = 404

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


def try_rabbitmq(url: str, broker: Any, queues: Iterable[str]) -> None:
    """Declare a queue, send a message to it and receive it; the queue is gone with the connection.

    Of the queues that workers use, those that exist are declared again: they may be of another program.

    Raises:
      pika.exceptions.AMQPError, BrokerError of Dramatiq: the server does not answer, or refuses something.
    """
    import pika

    trial = f"{TRIAL}-{uuid.uuid4()}"
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(trial, exclusive=True)
        channel.basic_publish("", trial, b"")
        channel.basic_get(trial, auto_ack=True)
        for queue in queues:
            if find_queue(connection, queue):
                broker.declare_queue(queue, ensure=True)


def find_queue(connection: Any, queue: str) -> Any | None:
    """Return what RabbitMQ says of a queue, such as its ``message_count``; None if there is no such queue."""
    from pika.exceptions import ChannelClosedByBroker

    channel = connection.channel()  # the server closes it if there is no such queue
    try:
        found = channel.queue_declare(queue, passive=True).method
    except ChannelClosedByBroker as error:
        if error.reply_code != NOT_FOUND:
            raise
        return None
    channel.close()
    return found
