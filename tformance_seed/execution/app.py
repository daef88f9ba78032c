"""Create an executor from environment variables, for workers and for Dramatiq's own command line.

``dramatiq tformance_seed.execution.app:create_broker`` runs workers without the supervisor.
``TFORMANCE_BROKER_URL`` is the URL of the broker, ``DATABASE_URL`` that of the database.
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
      InputError: the environment specifies no broker, or its URL is malformed.
    """
    url = settings.broker_url()
    if url is None:
        raise InputError("workers need a broker: set TFORMANCE_BROKER_URL")
    executor = Executor(broker.connect(url), lambda: connect(settings.database_url(), access="write"))
    executor.broker.add_middleware(OnProcessStart(log_format.configure))
    executor.broker.add_middleware(OnThreadEnd(executor.close))
    return executor


def create_broker() -> None:
    """Register the broker of ``create_executor`` as the one that Dramatiq's command line uses."""
    dramatiq.set_broker(create_executor().broker)
