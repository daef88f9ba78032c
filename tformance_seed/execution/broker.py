"""Create a Dramatiq broker from a URL, with the middleware and settings that workers need."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, Retries, TimeLimit
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend as LocalResults

from tformance_seed import settings
from tformance_seed.errors import InputError, UnavailableError
from tformance_seed.execution import retry
from tformance_seed.execution.broker_errors import broker_errors, explain, is_transient
from tformance_seed.execution.broker_trial import try_rabbitmq, try_redis
from tformance_seed.execution.middleware import HardTimeLimit, PrefetchSettings
from tformance_seed.url_forms import meant_broker
from tformance_seed.urls import malformed, parse_server_url, without_secrets

if TYPE_CHECKING:
    import redis
    from dramatiq.rate_limits import RateLimiterBackend
    from dramatiq.results import ResultBackend

#: Prefix for the package's keys in Redis and for the names of stored results.
NAMESPACE = "tformance_seed"

#: The queues of tasks: those that wait for a network or git, those that compute, and requests for summaries.
QUEUES = ("sync", "compute", "llm")

#: Messages that a worker process holds per thread, including the one being processed.
PREFETCH = 4

#: Milliseconds after which an idle thread checks again for messages and whether its worker should stop. The
#: second value is for a command that runs its tasks itself, which should end as soon as its work does.
POLL_INTERVAL, LOCAL_POLL_INTERVAL = 200, 5

#: Milliseconds after which the process is killed if a task in it could not be interrupted.
HARD_TIME_LIMIT = 600_000

#: Milliseconds for which results are kept: one day.
RESULT_TTL = 86_400_000

#: Milliseconds without a heartbeat after which the messages of a worker process return to their queue.
HEARTBEAT_TIMEOUT = 15_000

#: How many of every million commands check for processes without a heartbeat: all of them, since an idle
#: queue receives only a few commands per second.
MAINTENANCE_CHANCE = 1_000_000

#: Seconds to wait for a broker to accept a connection or to answer, and between checks of an idle connection.
CONNECT_TIMEOUT = 5
HEALTH_CHECK_INTERVAL = 15

#: URL schemes of brokers.
SCHEMES = ("redis", "rediss", "amqp", "amqps")


@dataclass(frozen=True)
class BrokerConfig:
    """A broker and what belongs to it.

    Parameters:
      rate_limits: returns where rate limits are kept, for all workers if the broker is not in this process.
      try_out: has the broker do what carrying messages needs, on queues of nobody; raises one of
        ``broker_errors``.
    """

    broker: dramatiq.Broker
    rate_limits: "Callable[[], RateLimiterBackend]"
    try_out: Callable[[], object]

    def check(self) -> None:
        """Check that the broker can carry messages.

        Raises:
          UnavailableError: it cannot at present: it does not answer, for example.
          InputError: it refuses this user or this address.
        """
        try:
            self.try_out()
        except broker_errors() as error:
            raise (UnavailableError if is_transient(error) else InputError)(explain(error)) from None
        except UnicodeError:
            raise InputError("the name of the broker's host in its URL cannot be that of any") from None


class _LocalBroker(StubBroker):
    """Keeps messages within this process."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = POLL_INTERVAL) -> dramatiq.Consumer:
        """Return a consumer that polls less often than the threads, since a message wakes it at once."""
        return super().consume(queue_name, prefetch, max(timeout, POLL_INTERVAL))


def in_process() -> BrokerConfig:
    """Return a broker within this process."""
    broker = _LocalBroker(middleware=_middleware(_local_results(), LOCAL_POLL_INTERVAL))
    return BrokerConfig(broker, _local_limits, try_out=lambda: None)


def check_url(url: str) -> None:
    """Raise InputError if a URL is not that of a broker."""
    scheme = url.partition(":")[0]
    if scheme not in SCHEMES:
        meant = meant_broker(url)
        hint = f"did you mean {meant}?" if meant else "expected redis://host:6379/0 or amqp://host"
        raise InputError(f"broker {without_secrets(url)}: unknown kind; {hint}")
    if parse_server_url(url) is None:
        raise malformed("broker", url, f"{scheme}://:password@host")


def connect(url: str) -> BrokerConfig:
    """Return the broker at a URL, for worker processes and for processes that send tasks to them.

    It connects when something is first sent or received.

    Raises:
      InputError: the URL is malformed, or needs a driver that is not installed.
    """
    check_url(url)
    return _connect_redis(url) if url.startswith("redis") else _connect_rabbitmq(url)


def _connect_redis(url: str) -> BrokerConfig:
    from dramatiq.brokers.redis import RedisBroker

    limits, results, client = _redis_backends(url)
    broker = RedisBroker(
        client=client,
        namespace=NAMESPACE,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        maintenance_chance=MAINTENANCE_CHANCE,
        middleware=[*_middleware(results), HardTimeLimit(HARD_TIME_LIMIT)],
    )
    return BrokerConfig(broker, lambda: limits, try_out=lambda: try_redis(client, limits, results))


def _connect_rabbitmq(url: str) -> BrokerConfig:
    try:
        from dramatiq.brokers.rabbitmq import RabbitmqBroker
    except ImportError:
        raise InputError("amqp:// needs an extra: pip install 'tformance_seed[rabbitmq]'") from None
    limits, results, try_beside = limits_and_results(settings.redis_url())
    middleware = [*_middleware(results), HardTimeLimit(HARD_TIME_LIMIT)]
    try:
        broker = RabbitmqBroker(url=url, confirm_delivery=True, middleware=middleware)
    except (TypeError, ValueError):  # by Pika, such as for a user without a name
        raise malformed("broker", url, "amqp://user:password@host") from None

    def try_out() -> None:
        try_rabbitmq(url, broker, QUEUES)
        try_beside()

    return BrokerConfig(broker, lambda: limits, try_out)


def limits_and_results(
    redis_url: str | None,
) -> "tuple[RateLimiterBackend, ResultBackend, Callable[[], object]]":
    """Return where rate limits and results are kept beside RabbitMQ, and a function that tries it out."""
    if redis_url is None:
        return _local_limits(), _local_results(), lambda: None
    limits, results, client = _redis_backends(redis_url)
    return limits, results, lambda: try_redis(client, limits, results)


def _redis_backends(url: str) -> "tuple[RateLimiterBackend, ResultBackend, redis.Redis]":
    """Return the Redis backends for rate limits and for results, and the client that both use."""
    import redis
    from dramatiq.rate_limits.backends import RedisBackend as RedisLimits
    from dramatiq.results.backends import RedisBackend

    class RedisResults(RedisBackend):  # type: ignore[misc]
        """Keeps results under keys with a prefix, to which a user's rights can be limited."""

        def build_message_key(self, message: "dramatiq.Message[Any]") -> str:
            """Return the key of a message's result."""
            return f"{self.namespace}:{message.message_id}"

    wrong = malformed("broker", url, "redis://:password@host:6379/0")
    if parse_server_url(url) is None:
        raise wrong
    try:
        client = redis.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=CONNECT_TIMEOUT,
            health_check_interval=HEALTH_CHECK_INTERVAL,
        )
        client.connection_pool.make_connection()  # it connects later, but takes the options now
    except (TypeError, ValueError):
        raise wrong from None
    return RedisLimits(client=client), RedisResults(client=client, namespace=f"{NAMESPACE}-results"), client


def _local_limits() -> "RateLimiterBackend":
    from dramatiq.rate_limits.backends import StubBackend as LocalLimits

    return LocalLimits()


def _local_results() -> "ResultBackend":
    return LocalResults()


def _middleware(results: "ResultBackend", poll_interval: int = POLL_INTERVAL) -> list[Middleware]:
    shortest, longest = retry.TASK_BACKOFF
    middleware: list[Middleware] = [
        PrefetchSettings(PREFETCH, poll_interval),
        TimeLimit(time_limit=retry.SOFT_TIME_LIMIT),
        Retries(retry_when=retry.is_retried, min_backoff=shortest, max_backoff=longest),
        Results(backend=results, store_results=True, result_ttl=RESULT_TTL),
    ]
    if settings.prometheus():
        from dramatiq.middleware.prometheus import Prometheus

        middleware.append(Prometheus())
    return middleware
