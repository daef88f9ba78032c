"""A URL becomes a Dramatiq broker with everything that workers need; each setting stands here once."""

import contextlib
from dataclasses import dataclass
from urllib.parse import urlsplit

import dramatiq
import redis
from dramatiq.brokers.redis import MAINTENANCE_SCALE, RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import BrokerError
from dramatiq.middleware import Middleware, Retries, TimeLimit
from dramatiq.rate_limits import RateLimiterBackend
from dramatiq.rate_limits.backends import RedisBackend as RedisLimits
from dramatiq.rate_limits.backends import StubBackend as LocalLimits
from dramatiq.results import ResultBackend, Results
from dramatiq.results.backends import RedisBackend as RedisResults
from dramatiq.results.backends import StubBackend as LocalResults

from tformance_seed import settings
from tformance_seed.errors import InputError
from tformance_seed.execution.middleware import Consumption, HardTimeLimit

#: Keys of ours in Redis begin with it, and so do the names of stored results.
NAMESPACE = "tformance_seed"

#: Messages that a worker process holds for each of its threads, those in hand included.
PREFETCH = 4

#: Milliseconds after which an idle thread looks again whether there is something to do, or whether it is to
#: end; and one of a command that does its tasks itself, whose end somebody waits for.
IDLE, LOCAL_IDLE = 200, 5

#: Milliseconds after which a task is interrupted, and after which its process is killed if it cannot be.
SOFT_LIMIT, HARD_LIMIT = 300_000, 600_000

#: Milliseconds for which results are kept: a day.
RESULT_TTL = 86_400_000

#: Milliseconds without a sign of life after which what a worker process held goes back to its queue, and
#: how many of a million commands look for that: all, so that an idle queue, which sees a few a second, is
#: looked after too.
HEARTBEAT_TIMEOUT = 15_000
MAINTENANCE_CHANCE = MAINTENANCE_SCALE

#: Milliseconds before a task is tried again: at first, doubling each time, and at most.
MIN_BACKOFF, MAX_BACKOFF = 500, 15_000

#: Seconds to wait for a broker to take a connection, and between signs of life on an idle one.
CONNECT_TIMEOUT = 5
HEALTH_CHECK = 15

SCHEMES = ("redis", "rediss", "amqp", "amqps")


@dataclass(frozen=True)
class Setup:
    """A broker, and where it keeps rate limits; None: there are none, for nobody shares them."""

    broker: dramatiq.Broker
    limits: RateLimiterBackend | None

    def check(self) -> None:
        """See that the broker answers.

        Raises:
          InputError: it does not.
        """
        try:
            if isinstance(self.broker, RedisBroker):
                self.broker.client.ping()
            elif not isinstance(self.broker, StubBroker):
                self.broker.connection  # noqa: B018 - a property that connects
        except AWAY as error:
            raise InputError(
                f"the broker does not answer: {said(error)}; is its URL right, and is it up?"
            ) from None


#: What a broker that is away raises.
AWAY: tuple[type[Exception], ...] = (BrokerError, redis.ConnectionError, redis.TimeoutError)
with contextlib.suppress(ImportError):
    from pika.exceptions import AMQPError

    AWAY = (*AWAY, AMQPError)


def said(error: Exception) -> str:
    """What a broker's driver says went wrong; some of pika's errors say nothing but their name."""
    return str(error) or type(error).__name__


def redacted(url: str) -> str:
    """A broker's URL without user, password and options, fit for a message."""
    try:
        parts = urlsplit(url)
        place = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "URL"
    return f"{parts.scheme}://{place}{parts.path}" if parts.scheme in SCHEMES else "URL"


class _LocalBroker(StubBroker):
    """Messages within this process."""

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = IDLE) -> dramatiq.Consumer:
        """A consumer: a message wakes it, so it need not look as often as a thread, whose end counts."""
        return super().consume(queue_name, prefetch, max(timeout, IDLE))


def local() -> Setup:
    """A broker within this process."""
    return Setup(_LocalBroker(middleware=_middleware(LocalResults(), LOCAL_IDLE)), None)


def connect(url: str) -> Setup:
    """The broker that a URL names, for processes that do nothing but tasks.

    No connection is made before something is sent or received.

    Raises:
      InputError: the URL is malformed, or names a kind whose driver is not installed.
    """
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        raise InputError(f"broker {redacted(url)}: unknown kind; want redis://host:6379/0 or amqp://host")
    if scheme.startswith("redis"):
        client = _redis(url)
        broker = RedisBroker(
            client=client,
            namespace=NAMESPACE,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            maintenance_chance=MAINTENANCE_CHANCE,
            middleware=[*_middleware(_results(client)), HardTimeLimit(HARD_LIMIT)],
        )
        return Setup(broker, RedisLimits(client=client))
    try:
        from dramatiq.brokers.rabbitmq import RabbitmqBroker
    except ImportError:
        raise InputError("amqp:// needs an extra: pip install 'tformance_seed[rabbitmq]'") from None
    limits: RateLimiterBackend = LocalLimits()
    results: ResultBackend = LocalResults()
    beside = settings.redis_url()
    if beside is not None:
        client = _redis(beside)
        limits, results = RedisLimits(client=client), _results(client)
    middleware = [*_middleware(results), HardTimeLimit(HARD_LIMIT)]
    broker = RabbitmqBroker(url=url, confirm_delivery=True, middleware=middleware)
    return Setup(broker, limits)


def _redis(url: str) -> redis.Redis:
    try:
        return redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_TIMEOUT, health_check_interval=HEALTH_CHECK
        )
    except ValueError:
        raise InputError(f"broker {redacted(url)}: malformed; want redis://host:6379/0") from None


def _middleware(results: ResultBackend, idle: int = IDLE) -> list[Middleware]:
    made: list[Middleware] = [
        Consumption(PREFETCH, idle),
        TimeLimit(time_limit=SOFT_LIMIT),
        Retries(max_retries=None, min_backoff=MIN_BACKOFF, max_backoff=MAX_BACKOFF),  # type: ignore[arg-type]
        Results(backend=results, store_results=True, result_ttl=RESULT_TTL),
    ]
    if settings.prometheus():
        made.append(_prometheus())
    return made


def _results(client: redis.Redis) -> ResultBackend:
    return RedisResults(client=client, namespace=f"{NAMESPACE}-results")


def _prometheus() -> Middleware:
    from dramatiq.middleware.prometheus import Prometheus

    return Prometheus()
