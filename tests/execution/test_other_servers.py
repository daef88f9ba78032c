"""RabbitMQ, PgBouncer, a PostgreSQL with its contrib modules: real ones, which need system packages."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pika
import psycopg2
import pytest

from tests.support.commands import command, command_process, lines_of_errors
from tests.support.examinations import examined, findings, none, only
from tests.support.servers import free_port, postgres, system_programs, wait_until
from tests.support.workers import Workers, digests, kill, run_json, start, statement

ARGUMENTS = ("polar", "resend", "--days", "60", "--until", "2026-03-18", "--chunk-size", "400")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('expected')}/undisturbed.db"
    assert command("seed", *ARGUMENTS, "--database", url).returncode == 0
    return digests(url)


@pytest.fixture
def pgbouncer(postgresql_url):
    """Return the database behind a PgBouncer that pools three connections by transaction."""
    folder, port = Path(tempfile.mkdtemp(prefix="pgbouncer")), free_port()
    folder.chmod(0o755)  # PgBouncer refuses to run as root, so another user must read it
    host = parse_qs(urlsplit(postgresql_url).query)["host"][0]
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={host} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 100\n"
    )
    user = ["-u", Path(host).owner()] if os.getuid() == 0 else []  # the user who may read the socket's folder
    process = subprocess.Popen(["pgbouncer", "-q", *user, folder / "pgbouncer.ini"])
    name = postgresql_url.split("/")[3].split("?")[0]
    url = f"postgresql://postgres@127.0.0.1:{port}/{name}"

    def answers():
        try:
            return statement(url, "SELECT 1")
        except psycopg2.OperationalError:
            return None

    wait_until(answers)
    yield url
    process.kill()
    process.wait()
    shutil.rmtree(folder)


@pytest.mark.pgbouncer
def test_nothing_relies_on_a_database_session(tmp_path, pgbouncer, broker, expected):
    workers = Workers(tmp_path, pgbouncer, broker.url, "--processes", "2", "--threads", "3")
    report = run_json("seed", *ARGUMENTS, database=pgbouncer, broker=broker.url)
    assert report["failures"] == []
    assert digests(pgbouncer) == expected
    again = run_json("seed", *ARGUMENTS, database=pgbouncer)
    assert sum(table["rows_written"] for table in again["tables"]) == 0
    workers.end()


@pytest.fixture(scope="module")
def rabbitmq_server(tmp_path_factory):
    """Run a private RabbitMQ; yield its port, and a function that evaluates Erlang in it."""
    folder, port, epmd = tmp_path_factory.mktemp("rabbitmq"), free_port(), free_port()
    environment = {
        **os.environ,
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(epmd),
        "RABBITMQ_NODENAME": f"n{secrets.token_hex(4)}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
    }
    # The command on PATH is a wrapper that changes the user; the wrapped one runs as any user.
    server = next(
        path
        for path in ("/usr/lib/rabbitmq/bin/rabbitmq-server", shutil.which("rabbitmq-server"))
        if path and Path(path).exists()
    )
    with (folder / "out").open("w") as out:
        process = subprocess.Popen([server], env=environment, stdout=out, stderr=out, start_new_session=True)
    wait_until(lambda: "completed with" in (folder / "out").read_text(), 60)

    def evaluate(expression):
        control = [Path(server).with_name("rabbitmqctl"), "eval", expression]
        subprocess.run(control, env=environment, check=True, capture_output=True)

    yield port, evaluate
    os.killpg(process.pid, 9)
    process.wait()
    names = ["epmd", "-port", str(epmd), "-kill"]  # it refuses to end while it believes that the server lives
    wait_until(lambda: b"not allowed" not in subprocess.run(names, check=False, capture_output=True).stdout)


@pytest.fixture(scope="module")
def rabbitmq(rabbitmq_server):
    return f"amqp://guest:guest@127.0.0.1:{rabbitmq_server[0]}"


@pytest.mark.rabbitmq
def test_rabbitmq_carries_the_messages_and_survives_killed_workers(
    tmp_path, rabbitmq, postgresql_url, expected
):
    workers = Workers(tmp_path, postgresql_url, rabbitmq, "--processes", "2")
    workers.ready(2)
    run = start("seed", *ARGUMENTS, database=postgresql_url, broker=rabbitmq)
    for _ in range(3):
        time.sleep(0.4)
        kill(workers.children()[0])
    _, errors = run.communicate(timeout=100)
    assert run.returncode == 0, errors
    assert digests(postgresql_url) == expected
    assert "guest" not in workers.log + errors
    workers.end()


@pytest.mark.rabbitmq
def test_a_rabbitmq_that_does_not_answer_is_reported_in_one_line(postgresql_url):
    result = command("seed", *ARGUMENTS, "--broker", "amqp://a:b@127.0.0.1:1", DATABASE_URL=postgresql_url)
    assert (result.returncode, result.stdout, lines_of_errors(result.stderr)) == (2, "", 1)
    assert "the broker does not answer" in result.stderr


#: What a user may configure, write and read -> words of the one line about it.
RIGHTS = {
    "nothing": (None, "grant the user rights"),
    "configure": (("^$", ".*", ".*"), "rabbitmqctl set_permissions"),
    "write": ((".*", "^$", ".*"), "rabbitmqctl set_permissions"),
    "read": ((".*", ".*", "^$"), "rabbitmqctl set_permissions"),
}


@pytest.fixture(scope="module")
def limited_users(rabbitmq_server):
    """Return URLs by what each lacks: a right, the right password, a virtual host, a queue of its own."""
    port, evaluate = rabbitmq_server
    steps = []
    for name, (rights, _) in RIGHTS.items():
        steps.append(f'rabbit_auth_backend_internal:add_user(<<"{name}">>, <<"hunter2hunter2">>, <<"me">>)')
        if rights:
            patterns = ", ".join(f'<<"{right}">>' for right in rights)
            steps.append(
                f'rabbit_auth_backend_internal:set_permissions(<<"{name}">>, <<"/">>, {patterns}, <<"me">>)'
            )
    steps.append('rabbit_vhost:add(<<"shared">>, <<"me">>)')
    steps.append(
        "rabbit_auth_backend_internal:set_permissions"
        '(<<"guest">>, <<"shared">>, <<".*">>, <<".*">>, <<".*">>, <<"me">>)'
    )
    evaluate(", ".join(steps) + ".")
    with pika.BlockingConnection(pika.URLParameters(f"amqp://127.0.0.1:{port}/shared")) as connection:
        connection.channel().queue_declare("compute", auto_delete=True)
    return {
        **{name: f"amqp://{name}:hunter2hunter2@127.0.0.1:{port}" for name in RIGHTS},
        "password": f"amqp://guest:hunter2hunter2@127.0.0.1:{port}",
        "virtual host": f"amqp://guest:guest@127.0.0.1:{port}/elsewhere",
        "queue": f"amqp://guest:guest@127.0.0.1:{port}/shared",
    }


REFUSALS = {
    **{name: words for name, (_, words) in RIGHTS.items()},
    "password": "check user and password",
    "virtual host": "check the virtual host",
    "queue": "another program has a queue of this name",
}


@pytest.mark.rabbitmq
@pytest.mark.parametrize("lacking", REFUSALS)
def test_a_rabbitmq_that_refuses_is_one_line_before_anything_is_entered(
    limited_users, postgresql_url, lacking
):
    url = limited_users[lacking]
    refused = command("seed", *ARGUMENTS, "--broker", url, DATABASE_URL=postgresql_url)
    assert (refused.returncode, refused.stdout, lines_of_errors(refused.stderr)) == (2, "", 1), refused.stderr
    assert REFUSALS[lacking] in refused.stderr
    assert "hunter2" not in refused.stderr
    assert statement(postgresql_url, "SELECT count(*) FROM pg_tables WHERE tablename = 'seed_run'") == [(0,)]
    finding = only(findings(examined(postgresql_url, url), "Workers"), "broker-unreachable")
    assert REFUSALS[lacking] in finding.now
    refused = command_process("worker", "--broker", url, "--database", postgresql_url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert REFUSALS[lacking] in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


@pytest.mark.rabbitmq
def test_doctor_counts_messages_and_consumers_of_rabbitmq(tmp_path, rabbitmq, postgresql_url):
    def workers_section():
        return findings(examined(postgresql_url, rabbitmq), "Workers")

    assert none(workers_section(), "broker-unreachable")
    begun = run_json("seed", "resend", "--days", "20", "--detach", database=postgresql_url, broker=rabbitmq)
    assert begun["run"]
    assert only(workers_section(), "waiting-without-workers").now == "none, and 1 messages wait"
    (limited,) = [
        finding
        for finding in examined(postgresql_url, rabbitmq).sections[-1].findings
        if finding.name == "rabbitmq-limited-visibility"
    ]
    assert limited.severity == "ok"
    workers = Workers(tmp_path, postgresql_url, rabbitmq, "--processes", "1")
    workers.ready(1)
    assert none(workers_section(), "waiting-without-workers")
    assert none(workers_section(), "no-workers")
    workers.end()
    wait_until(lambda: {item.name for item in workers_section()} & {"no-workers", "waiting-without-workers"})
    result = command("doctor", "--database", postgresql_url, "--broker", rabbitmq)
    assert (result.returncode, result.stderr) == (0, "")
    away = f"amqp://guest:hunter2@127.0.0.1:{free_port()}"
    assert "hunter2" not in str(only(findings(examined(postgresql_url, away)), "broker-unreachable"))


@pytest.mark.pgbouncer
def test_doctor_looks_through_a_pooler(pgbouncer):
    assert command("init", "--database", pgbouncer).returncode == 0
    assert none(findings(examined(pgbouncer, memory=2**32, cores=2)), "missing-privilege")


@pytest.fixture(scope="module")
def with_contrib():
    """Run a server of the system's packages."""
    with postgres(system_programs(), durable=True) as running:
        yield running


@pytest.mark.postgresql
def test_statements_are_recorded_after_doctors_advice_and_slow_ones_shown(with_contrib):
    url = with_contrib.new_database("application")

    def workers_section():
        return findings(examined(url), "Health")

    missing = only(workers_section(), "statements-not-recorded")
    load, create = missing.statement.splitlines()
    assert "restart" in missing.todo
    with_contrib.execute(create, url)
    assert only(workers_section(), "statements-not-recorded").statement.splitlines()[0] == load
    with_contrib.execute(load)
    with_contrib.crash()
    with_contrib.start()
    with_contrib.execute("DROP EXTENSION pg_stat_statements", url)
    assert only(workers_section(), "statements-not-recorded").statement == create
    with_contrib.execute(create, url)
    assert none(workers_section(), "statements-not-recorded")
    assert run_json("seed", "resend", "--days", "20", database=url)
    assert [item for item in examined(url).sections[2].findings if item.name == "slow-statement"] == []
    for column in ("id", "title", "state", "body", "author_id", "team_id"):
        with_contrib.execute(f"SELECT count({column}) FROM metrics_pullrequest", url)
    assert none(workers_section(), "slow-statement")
    shown = [item for item in examined(url).sections[2].findings if item.name == "slow-statement"]
    assert len(shown) == 5
    assert all(item.severity == "ok" for item in shown)
    with_contrib.execute("SELECT count(*), pg_sleep(1.1) FROM teams_team", url)
    with_contrib.execute("SELECT pg_sleep(1.2)", url)
    slow = only(workers_section(), "slow-statement")
    assert "teams_team" in slow.where
    assert slow.now.startswith("1,1")


@pytest.mark.postgresql
def test_a_user_who_sees_only_its_own_statements_is_warned(with_contrib):
    url = with_contrib.new_database("application")
    with_contrib.execute("ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements")
    with_contrib.crash()
    with_contrib.start()
    with_contrib.execute("CREATE EXTENSION pg_stat_statements; CREATE ROLE plain LOGIN", url)
    plain = url.replace("postgres@", "plain@")
    assert none(findings(examined(url)), "statements-hidden")
    hidden = only(findings(examined(plain)), "statements-hidden")
    with_contrib.execute(hidden.statement, url)
    assert none(findings(examined(plain)), "statements-hidden")
