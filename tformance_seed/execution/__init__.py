"""The pipeline, spread out: a broker, actors on three queues, processes and who looks after them.

``dramatiq tformance_seed.workers`` finds its broker here, where the environment names one: ``BROKER_URL`` or
``REDIS_URL`` for the messages, ``DATABASE_URL`` for the rows.
"""

import dramatiq

from tformance_seed import settings

if url := settings.broker_url():
    from tformance_seed.execution import broker, logs
    from tformance_seed.execution.executor import Executor
    from tformance_seed.execution.middleware import ProcessStart, ThreadEnd
    from tformance_seed.storage.connection import connect

    crew = Executor(broker.connect(url), lambda: connect(settings.database_url(), access="write"))
    crew.broker.add_middleware(ProcessStart(logs.configure))
    crew.broker.add_middleware(ThreadEnd(crew.close))
    dramatiq.set_broker(crew.broker)
