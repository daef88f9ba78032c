"""What doctor says of a server's settings, on a server of its own whose settings are changed and put back."""

import pytest

from tests.support.commands import command
from tests.support.databases import connect
from tests.support.examinations import examined, findings, none, only
from tests.support.servers import postgres
from tformance_seed.doctor import Overrides
from tformance_seed.doctor import machine as machines
from tformance_seed.doctor.tiers import GB, MB, RULES, TIERS, Machine, recommended_value, tier_for
from tformance_seed.errors import InputError
from tformance_seed.storage.transactions import snapshot

#: The machine of the smallest tier, so that this one's size does not matter; teams fit it too.
STARTER = {"memory": 4 * GB, "cores": 2}
OPTIONS = ("--ram", "4GB", "--cpus", "2")

#: Setting -> a value that is wrong on that machine, and the statement's value.
WRONG = {
    "effective_cache_size": ("1GB", "3GB"),
    "work_mem": ("4MB", "16MB"),
    "maintenance_work_mem": ("64MB", "256MB"),
    "random_page_cost": ("4", "1.1"),
    "effective_io_concurrency": ("1", "200"),
    "max_parallel_workers_per_gather": ("0", "2"),
}

#: Values above the recommendation that do no harm there, and those that do.
HARMLESS = {"work_mem": "24MB", "maintenance_work_mem": "1GB", "effective_io_concurrency": "1000"}
HARMFUL = {"work_mem": "256MB", "effective_cache_size": "64GB", "random_page_cost": "0.1"}


@pytest.fixture(scope="module")
def tuned():
    """A server with the application's tables that was set up by doctor's own script."""
    with postgres(durable=True) as running:
        url = running.new_database("application")
        before = findings(examined(url, **STARTER), "Server")
        assert {finding.name for finding in before} == {"setting"}
        script = command("doctor", "--database", url, "--sql", *OPTIONS).stdout
        for line in script.splitlines():
            if line and not line.startswith("--"):
                running.execute(line, url)
        running.crash()
        running.start()
        yield running, url


@pytest.fixture
def change(tuned):
    """Changes a setting of the server until the test is over."""
    server, _ = tuned

    def set_to(name, value):
        server.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        server.reload()

    kept = server.execute("SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%auto.conf'")
    yield set_to
    server.execute("ALTER SYSTEM RESET ALL")
    for name, value in kept:
        server.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    server.reload()


def test_every_setting_is_accepted_after_the_script_ran(tuned):
    assert findings(examined(tuned[1], **STARTER), "Server") == []
    result = command("doctor", "--database", tuned[1], *OPTIONS)
    assert result.returncode == 0
    assert "8 of 8 settings as recommended\n" in result.stdout
    assert "ALTER SYSTEM" not in result.stdout.partition("Health:")[0]


@pytest.mark.parametrize("name", WRONG)
def test_a_setting_that_is_off_comes_with_the_statement_that_changes_it(tuned, change, name):
    server, url = tuned
    value, right = WRONG[name]
    change(name, value)
    (finding,) = findings(examined(url, **STARTER), "Server")
    assert (finding.name, finding.where, finding.now) == ("setting", name, value)
    assert finding.statement == f"ALTER SYSTEM SET {name} = '{right}';"
    assert finding.why
    server.execute(finding.statement)
    server.reload()
    assert findings(examined(url, **STARTER), "Server") == []


@pytest.mark.parametrize(("name", "value"), HARMLESS.items())
def test_more_than_recommended_is_accepted_where_it_does_no_harm(tuned, change, name, value):
    change(name, value)
    assert findings(examined(tuned[1], **STARTER), "Server") == []


@pytest.mark.parametrize(("name", "value"), HARMFUL.items())
def test_far_too_much_is_a_finding(tuned, change, name, value):
    change(name, value)
    assert only(findings(examined(tuned[1], **STARTER), "Server"), "setting").where == name


def test_a_change_that_needs_a_restart_is_reported(tuned, change):
    assert none(findings(examined(tuned[1], **STARTER)), "restart-pending")
    change("shared_buffers", "64MB")
    (finding,) = findings(examined(tuned[1], **STARTER), "Server")
    assert (finding.name, finding.where, finding.now) == ("restart-pending", "shared_buffers", "still 1GB")


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "autovacuum", "track_counts"])
def test_a_safety_setting_that_is_off_is_a_warning(tuned, change, name):
    assert none(findings(examined(tuned[1], **STARTER)), "setting-unsafe")
    change(name, "off")
    finding = only(findings(examined(tuned[1], **STARTER)), "setting-unsafe")
    assert (finding.where, finding.severity) == (name, "warning")
    assert finding.statement == f"ALTER SYSTEM SET {name} = 'on';"


def test_a_value_of_the_database_is_changed_there(tuned):
    server, url = tuned
    name = url.split("/")[3].split("?")[0]
    server.execute(f"ALTER DATABASE \"{name}\" SET work_mem = '1MB'")
    finding = only(findings(examined(url, **STARTER)), "setting")
    assert finding.statement == f"ALTER DATABASE \"{name}\" SET work_mem = '16MB';"
    server.execute(finding.statement)
    assert none(findings(examined(url, **STARTER)), "setting")
    server.execute(f'ALTER DATABASE "{name}" RESET ALL')


@pytest.fixture
def plain_user(tuned):
    """Somebody who is no superuser, as on a managed server."""
    server, url = tuned
    server.execute("CREATE ROLE plain LOGIN; GRANT CREATE ON SCHEMA public TO plain", url)
    server.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO plain", url)
    yield url.replace("postgres@", "plain@")
    server.execute("DROP OWNED BY plain; DROP ROLE plain", url)


def test_without_superuser_the_advice_can_be_followed(tuned, change, plain_user):
    change("work_mem", "1MB")
    change("autovacuum", "off")
    found = findings(examined(plain_user, **STARTER), "Server")
    mine, provider = only(found, "setting", "work_mem"), only(found, "setting-unsafe", "autovacuum")
    assert mine.statement == "ALTER ROLE \"plain\" SET work_mem = '16MB';"
    assert provider.statement is None
    assert "provider" in provider.todo
    server, url = tuned
    server.execute(mine.statement, plain_user)
    assert none(findings(examined(plain_user, **STARTER)), "setting", "work_mem")
    server.execute("GRANT ALTER SYSTEM ON PARAMETER autovacuum TO plain", url)
    again = only(findings(examined(plain_user, **STARTER)), "setting-unsafe")
    assert again.statement == "ALTER SYSTEM SET autovacuum = 'on';"


def test_the_machine_comes_from_the_server_or_is_this_one_or_assumed(tuned, plain_user, monkeypatch):
    reported = examined(tuned[1]).machine
    assert reported.known_from == "from the server"
    here = examined(plain_user).machine
    assert here.known_from == "of this machine, where the server runs"
    assert here.memory == reported.memory > 0
    assert none(findings(examined(plain_user)), "machine-unknown")
    monkeypatch.setattr(machines, "_this_machine", lambda _: None)
    report = examined(plain_user)
    assert "4GB" in only(findings(report), "machine-unknown").now
    assert report.machine.memory == 4 * GB
    guess = only(findings(examined(plain_user, teams=30)), "setting", "effective_cache_size")
    assert guess.statement == "ALTER ROLE \"plain\" SET effective_cache_size = '6GB';"
    assert not guess.safe
    sure = findings(examined(plain_user, memory=8 * GB, cores=4, teams=30))
    assert only(sure, "setting", "effective_cache_size").safe
    assert none(findings(examined(plain_user, **STARTER)), "machine-unknown")


def test_a_machine_below_its_tier_a_pooler_and_a_replica_are_advised(tuned):
    small = findings(examined(tuned[1], **STARTER))
    assert all(none(small, name) for name in ("machine-small", "pooler", "read-replica"))
    growing = findings(examined(tuned[1], **STARTER, teams=30))
    assert only(growing, "machine-small").recommended == "4 cores, 8GB, 100 GB SSD"
    assert only(growing, "pooler").severity == "advice"
    assert none(growing, "read-replica")
    large = findings(examined(tuned[1], memory=32 * GB, cores=8, teams=100))
    assert none(large, "machine-small")
    assert only(large, "read-replica").now == "0"
    assert only(large, "setting", "max_connections").recommended == "200"
    assert only(large, "setting", "shared_buffers").recommended == "8GB"


@pytest.mark.parametrize("tier", TIERS)
def test_rules_give_what_was_recommended_for_each_tier(tier):
    for name, value in tier.settings.items():
        if not RULES[name].by_load:
            assert RULES[name].derive(tier.machine) == value
        assert recommended_value(name, tier, tier.machine) == (value, f"as measured for tier {tier.name}")


def test_values_that_were_not_measured_are_derived_and_say_so():
    growth, scale = TIERS[1:]
    assert recommended_value("maintenance_work_mem", growth, growth.machine) == (
        512 * MB,
        "derived: a sixteenth of memory",
    )
    expected = {
        "shared_buffers": 8 * GB,
        "effective_cache_size": 24 * GB,
        "work_mem": 128 * MB,
        "maintenance_work_mem": 2 * GB,
        "random_page_cost": 1.1,
        "effective_io_concurrency": 200,
        "max_parallel_workers_per_gather": 8,
        "max_connections": 200,
    }
    for name in RULES:
        value, how = recommended_value(name, scale, scale.machine)
        assert value == expected[name]
        assert how.startswith("derived: ")
    assert recommended_value("shared_buffers", growth, Machine(16 * GB, 4))[1].startswith("derived")


@pytest.mark.parametrize(
    ("teams", "pull_requests", "name"),
    [
        (0, 0, "starter"),
        (10, 100_000, "starter"),
        (11, 0, "growth"),
        (50, 500_000, "growth"),
        (5, 100_001, "growth"),
        (51, 0, "scale"),
        (1, 2_000_000, "scale"),
    ],
)
def test_a_tier_is_the_smallest_that_is_large_enough(teams, pull_requests, name):
    assert tier_for(teams, pull_requests).name == name


@pytest.mark.parametrize(
    ("text", "memory"), [("8GB", 8 * GB), ("8 gb", 8 * GB), ("1.5GiB", 1536 * MB), ("512MB", 512 * MB)]
)
def test_memory_is_parsed_as_people_write_it(text, memory):
    assert Overrides.parse(text, None, None).memory == memory


@pytest.mark.parametrize("text", ["8", "GB", "-8GB", "8XB", "1MB", "", "9999999999GB"])
def test_memory_that_makes_no_sense_is_refused(text):
    with pytest.raises(InputError, match="--ram"):
        Overrides.parse(text, None, None)


def test_the_script_comments_out_what_is_to_be_considered_first(tuned, change):
    server, url = tuned
    change("work_mem", "1MB")
    change("shared_buffers", "64MB")
    server.execute("ALTER SYSTEM RESET max_connections")
    server.execute("CREATE INDEX useless ON metrics_commit (additions)", url)
    result = command("doctor", "--database", url, "--sql", *OPTIONS)
    server.execute("DROP INDEX useless", url)
    assert (result.returncode, result.stderr) == (0, "")
    active = [line for line in result.stdout.splitlines() if line and not line.startswith("--")]
    assert active == ["ALTER SYSTEM SET work_mem = '16MB';", "SELECT pg_reload_conf();"]
    assert '-- DROP INDEX CONCURRENTLY "useless";' in result.stdout
    wait = command("doctor", "--database", url, "--sql", "--ram", "64GB", "--cpus", "2").stdout
    assert "ALTER SYSTEM SET effective_cache_size = '48GB';" in wait


def test_the_script_lists_settings_that_need_a_restart(tuned):
    script = command("doctor", "--database", tuned[1], "--sql", "--ram", "64GB", "--cpus", "2").stdout
    assert "ALTER SYSTEM SET shared_buffers = '16GB';" in script
    assert script.endswith("-- After a restart of the server: shared_buffers\n")


def test_nothing_can_be_written_in_a_snapshot(tuned):
    database = connect(tuned[1], access="read")
    with pytest.raises(Exception, match="read-only transaction"), snapshot(database):
        database.execute_sql("CREATE TABLE x (y int)")
    database.close()
