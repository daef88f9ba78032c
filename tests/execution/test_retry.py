"""The retry policy: each class of error, decided upon and seen on actors in this process."""

import dataclasses
import errno
import time
from unittest import mock

import dramatiq
import peewee
import pytest
import redis
from dramatiq.errors import ConnectionFailed
from dramatiq.middleware import TimeLimitExceeded

from tests.support.commands import command
from tests.support.seeds import NOW, UNTIL
from tests.support.servers import wait_until
from tformance_seed import ledger
from tformance_seed.commands import seed as seeding
from tformance_seed.commands.watch import watch
from tformance_seed.errors import (
    InputError,
    OrganisationBusyError,
    SeedError,
    TooManyConnectionsError,
    TransientError,
    UnavailableError,
)
from tformance_seed.execution import broker, local, retry
from tformance_seed.execution.executor import Executor
from tformance_seed.ledger import TaskKey
from tformance_seed.planning.plan import make_plans
from tformance_seed.planning.request import Request
from tformance_seed.storage import connection
from tformance_seed.storage.models import SeedTask

KEY = TaskKey("run", 1, "polar", "team", 0)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (SeedError("the repository has changed"), False),
        (InputError("the team is not yours"), False),
        (TransientError("a lock is held"), True),
        (UnavailableError("the database does not answer"), True),
        (OrganisationBusyError("another run is seeding polar"), True),
        (TooManyConnectionsError("no more connections"), True),
        (peewee.OperationalError("server closed the connection unexpectedly"), True),
        (peewee.OperationalError("database is locked"), True),
        (peewee.OperationalError("no such table: seed_task"), False),
        (peewee.IntegrityError("NOT NULL constraint failed"), False),
        (peewee.ProgrammingError("relation does not exist"), False),
        (ConnectionFailed("refused"), True),
        (redis.ConnectionError("refused"), True),
        (redis.TimeoutError("timed out"), True),
        (redis.ResponseError("wrong type"), False),
        (TimeLimitExceeded(), True),
        (ValueError("a defect"), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_errors_class_decides_whether_its_task_is_retried(error, again):
    assert retry.decide(error, attempts=1).retry is again
    assert retry.decide(error, attempts=retry.MAX_ATTEMPTS).retry is False


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("can't start new thread"), "threads"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_what_a_process_has_run_out_of_is_no_defect(monkeypatch, error, words):
    decision = retry.decide(error, 1)
    assert (decision.retry, decision.unexpected, words in decision.reason) == (False, False, True)

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(connection, "connect", fail)
    ended = command("status")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert words in ended.stderr
    assert "report" not in ended.stderr


def test_a_task_without_a_connection_is_retried_in_a_second_and_others_as_dramatiq_backs_off():
    assert retry.decide(peewee.OperationalError("FATAL:  sorry, too many clients already"), 1).delay == 1000
    assert retry.decide(TransientError("a lock is held"), 1).delay is None
    assert retry.TASK_BACKOFF == (500, 15_000)


def test_the_reason_is_one_line_and_only_a_defect_has_a_traceback():
    refused = retry.decide(peewee.OperationalError("server closed the connection\nunexpectedly"), 1)
    assert (refused.reason.count("\n"), refused.unexpected) == (0, False)
    assert "What was committed is safe" in refused.reason
    assert retry.decide(ConnectionResetError("mine"), 1).unexpected
    assert retry.decide(TimeLimitExceeded(), 1).reason == "interrupted: it took longer than 300 s"


def test_processes_that_crash_at_once_are_replaced_later_and_later():
    delays = [retry.process_delay(crashes) for crashes in (0, 1, 2, 3, 4, 10, 10_000)]
    assert delays == [0, 0, 2, 4, 8, 30, 30]


def test_a_message_is_sent_again_to_a_broker_after_up_to_five_seconds():
    assert 50 <= retry.broker_delay(0) <= 200
    assert 2_500 <= retry.broker_delay(20) <= 5_000


def test_a_rate_limit_is_waited_out_however_often_and_other_surprises_ten_times():
    assert retry.is_retried(9, TypeError("a message of another version"))
    assert not retry.is_retried(10, TypeError("a message of another version"))


def test_a_database_that_comes_back_is_waited_for(database, monkeypatch):
    monkeypatch.setattr(retry, "RETRY_DELAY", 0.01)
    answers = [
        peewee.OperationalError("server closed the connection"),
        peewee.InterfaceError("connection lost"),
        7,
    ]

    def read():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retry.until_available(database, read) == 7


@pytest.mark.parametrize(
    ("error", "patience"),
    [
        (peewee.OperationalError("server closed the connection"), 0.05),
        (peewee.ProgrammingError("relation does not exist"), 60),
    ],
)
def test_a_database_that_stays_away_or_refuses_for_good_is_not_waited_for(
    database, monkeypatch, error, patience
):
    monkeypatch.setattr(retry, "RETRY_DELAY", 0.01)
    monkeypatch.setattr(retry, "GIVE_UP_AFTER", patience)

    def read():
        raise error

    start = time.monotonic()
    with pytest.raises(type(error)):
        retry.until_available(database, read)
    assert time.monotonic() - start < 5


def test_a_poison_message_is_given_up_with_its_reason_in_the_ledger(database):
    """Ten workers were killed by the first task of an organisation; the eleventh does not run it."""
    request = Request(organisations=("polar", "resend"), days=7, until=UNTIL)
    with local.executor(database) as executor:
        with mock.patch.object(executor, "send"):
            run = seeding.begin(database, executor, request, make_plans(request, NOW)).record
        poison = (SeedTask.job == run.jobs[0]) & (SeedTask.stage == "team")
        SeedTask.update(attempts=retry.MAX_ATTEMPTS).where(poison).execute(database)
        executor.send(ledger.current_tasks(database, run.name, run.jobs))
        outcome = seeding.collect_outcome(database, run, watch(database, executor, run))
    assert list(outcome.failures) == ["polar"]
    assert "given up: 10 workers died" in outcome.failures["polar"]
    assert [report.organisation for report in outcome.reports] == ["resend"]


def test_a_task_that_is_entered_while_an_early_message_looks_for_it_does_not_fail(database, monkeypatch):
    def is_there_on_the_second_look(look):
        answers = iter([lambda *_: None])
        return lambda *arguments: next(answers, look)(*arguments)

    monkeypatch.setattr(retry, "TASK_BACKOFF", (1, 5))
    request = Request(organisations=("polar",), days=7, until=UNTIL)
    with local.executor(database) as executor:
        for look in ("claim", "find_task"):
            monkeypatch.setattr(ledger, look, is_there_on_the_second_look(getattr(ledger, look)))
        run = seeding.begin(database, executor, request, make_plans(request, NOW)).record
        outcome = seeding.collect_outcome(database, run, watch(database, executor, run))
    assert outcome.failures == {}
    assert [report.organisation for report in outcome.reports] == ["polar"]


@pytest.fixture
def run_message(monkeypatch):
    """Run a message on actors in this process that open the database as told, until it is done or dead.

    Returns how many messages are dead in the end. The back-off is one of milliseconds.
    """
    monkeypatch.setattr(retry, "TASK_BACKOFF", (1, 5))
    workers = []

    def run(open_database, **changes):
        executor = Executor(broker.in_process(), open_database)
        workers.append(dramatiq.Worker(executor.broker, worker_threads=1))
        workers[-1].start()
        message = executor.actors["sync"].message(**dataclasses.asdict(KEY) | changes)
        executor.broker.enqueue(message)
        wait_until(lambda: executor.broker.dead_letters)
        return len(executor.broker.dead_letters)

    yield run
    for worker in workers:
        worker.stop()


@pytest.mark.parametrize("kind", [SeedError, InputError])
def test_a_final_error_while_the_database_is_opened_is_not_retried(run_message, kind):
    opened = []

    def fail():
        opened.append(1)
        raise kind("the database URL is malformed")

    assert run_message(fail) == 1
    time.sleep(0.1)
    assert len(opened) == 1


def test_a_database_that_does_not_answer_yet_is_tried_again(run_message, database):
    answers = [UnavailableError("starting"), peewee.OperationalError("connection refused"), database]

    def answer():
        first = answers.pop(0)
        if isinstance(first, Exception):
            raise first
        return first

    assert run_message(answer) == 1  # whose reason is that the database has no such task
    assert answers == []


def test_a_defect_is_not_retried_and_logged_with_its_traceback(run_message, caplog):
    opened = []

    def fail():
        opened.append(1)
        raise ZeroDivisionError("as asked")

    assert run_message(fail) == 1
    assert len(opened) == 1
    (record,) = [record for record in caplog.records if "unexpected ZeroDivisionError" in record.message]
    assert record.exc_info[0] is ZeroDivisionError


def test_a_message_of_another_version_is_given_up(run_message):
    assert run_message(lambda: pytest.fail("not reached"), shard=1) == 1


class _AwayBroker:
    """A broker that comes back after so many messages."""

    def __init__(self, away):
        self.away = away
        self.sent = []

    def enqueue(self, message):
        self.away -= 1
        if self.away >= 0:
            raise ConnectionFailed("refused")
        self.sent.append(message)


@pytest.fixture
def sender(monkeypatch):
    """An executor whose broker is unreachable at first, and is tried again at once."""
    monkeypatch.setattr(retry, "BROKER_BACKOFF", (1, 2))

    def build(away):
        executor = Executor(broker.in_process(), lambda: None)
        executor.broker = _AwayBroker(away)
        return executor

    return build


def test_a_message_waits_for_a_broker_that_comes_back(sender):
    executor = sender(away=3)
    executor.send([("sync", KEY)], timeout=30)
    assert [message.kwargs for message in executor.broker.sent] == [dataclasses.asdict(KEY)]


def test_a_broker_that_stays_away_is_an_error_that_may_pass_and_says_how_to_continue(sender):
    with pytest.raises(TransientError, match="continue with: tformance-seed retry run"):
        sender(away=1_000).send([("sync", KEY)], timeout=0.01)
