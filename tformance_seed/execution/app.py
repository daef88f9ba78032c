"""The executor that the environment names, and the entry point of Dramatiq's own command line.

``dramatiq tformance_seed.execution.app:create_broker`` runs workers without the supervisor. ``BROKER_URL`` or
``REDIS_URL`` names the broker, ``DATABASE_URL`` the database.
"""

import dramatiq

from tformance_seed import settings
from tformance_seed.errors import InputError
from tformance_seed.execution import broker, log_format
from tformance_seed.execution.executor import Executor
from tformance_seed.execution.middleware import OnProcessStart, OnThreadEnd
from tformance_seed.storage.connection import connect


def create_executor() -> Executor:
    """Return an executor for a worker process; it connects when its first task arrives.

    Raises:
      InputError: the environment names no broker, or its URL is malformed.
    """
    url = settings.broker_url()
    if url is None:
        raise InputError("workers need a broker: set BROKER_URL or REDIS_URL")
    executor = Executor(broker.connect(url), lambda: connect(settings.database_url(), access="write"))
    executor.broker.add_middleware(OnProcessStart(log_format.configure))
    executor.broker.add_middleware(OnThreadEnd(executor.close))
    return executor


def create_broker() -> None:
    """Make the broker of ``create_executor`` the one that Dramatiq's command line finds."""
    dramatiq.set_broker(create_executor().broker)
