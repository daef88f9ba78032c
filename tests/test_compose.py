"""The example with Docker, as far as it can be tried without: its commands and variables are right."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer
import yaml

from tests.support.commands import PACKAGE_VARIABLES, argv, clean, command
from tests.support.documents import PROJECT
from tests.support.servers import wait_until
from tests.support.workers import digests
from tformance_seed.cli.app import create_app

EXAMPLE = PROJECT / "examples" / "compose"
COMMANDS = typer.main.get_command(create_app()).commands
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def read(name: str) -> dict:
    """A file with each variable replaced by its default; one without is named after itself."""
    text = VARIABLE.sub(lambda match: match[3] if match[2] == "-" else match[1], (EXAMPLE / name).read_text())
    return yaml.safe_load(text)


def merged() -> dict[str, dict]:
    """The services of both files together; what the second says is added."""
    services = read("compose.yaml")["services"]
    for name, addition in read("application.yaml")["services"].items():
        service = services.setdefault(name, {})
        dependencies = service.get("depends_on", {}) | addition.get("depends_on", {})
        service |= addition | {"depends_on": dependencies}
    return services


FILES = {"compose.yaml": read("compose.yaml")["services"], "both": merged()}
OURS = {name: service for name, service in FILES["both"].items() if service["image"] == "tformance-seed"}


def test_the_command_lines_are_ours():
    assert set(OURS) == {"worker", "seed"}
    for service in OURS.values():
        name, *arguments = service["command"]
        COMMANDS[name].make_context(name, list(arguments))


def test_the_variables_are_read_by_the_package():
    for service in OURS.values():
        assert set(service["environment"]) <= PACKAGE_VARIABLES
        assert {"DATABASE_URL", "TFORMANCE_BROKER_URL"} <= set(service["environment"])


@pytest.mark.parametrize("services", FILES.values(), ids=FILES)
def test_what_a_service_waits_for_can_become_true(services):
    for service in services.values():
        for name, dependency in service.get("depends_on", {}).items():
            other, condition = services[name], dependency["condition"]
            assert condition in {"service_healthy", "service_started", "service_completed_successfully"}
            assert (condition == "service_healthy") == ("healthcheck" in other)
            if condition == "service_completed_successfully":
                assert "restart" not in other


@pytest.mark.parametrize("services", FILES.values(), ids=FILES)
def test_hosts_users_and_passwords_are_those_of_the_services(services):
    postgres = services["postgres"]["environment"]
    for service in services.values():
        for variable, value in service.get("environment", {}).items():
            if "://" not in value:
                continue
            url = urlsplit(value)
            assert url.hostname in services, variable
            assert url.hostname in service["depends_on"] or "migrate" in service["depends_on"]
            if url.scheme == "postgresql":
                expected = (postgres["POSTGRES_USER"], postgres["POSTGRES_PASSWORD"], postgres["POSTGRES_DB"])
                assert (url.username, url.password, url.path[1:]) == expected


def test_the_application_and_the_broker_share_a_redis_but_no_database_of_it():
    numbers = [
        service["environment"].get("REDIS_URL")
        for service in FILES["both"].values()
        if "environment" in service
    ]
    assert OURS["worker"]["environment"]["TFORMANCE_BROKER_URL"] not in numbers


def test_every_port_is_of_this_machine_alone():
    ports = [port for service in FILES["both"].values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


def test_the_image_installs_the_package_and_runs_its_command():
    lines = (EXAMPLE / "Dockerfile").read_text().splitlines()
    assert 'ENTRYPOINT ["tformance-seed"]' in lines
    build = OURS["seed"]["build"]
    assert (EXAMPLE / build["context"]).resolve() == PROJECT
    assert (PROJECT / build["dockerfile"]).read_text().splitlines() == lines
    assert any(line.startswith("USER ") for line in lines)


def test_worker_and_seed_of_the_example_fill_a_database(tmp_path: Path, postgresql_url, broker):
    """As in the containers, but for the addresses, and less of it."""

    def environment(name: str) -> dict[str, str]:
        running = {"postgresql": postgresql_url, "redis": broker.url}
        return {
            variable: running[urlsplit(value).scheme] for variable, value in OURS[name]["environment"].items()
        }

    log = tmp_path / "worker.log"
    with log.open("w") as output:
        worker = subprocess.Popen(
            argv(*OURS["worker"]["command"]), env=clean(environment("worker")), stdout=output, stderr=output
        )
    try:
        wait_until(lambda: "ready for" in log.read_text())
        small = ["--days", "10", "--prs", "5", "--until", "2026-03-18"]
        seeded = command(*OURS["seed"]["command"], *small, **environment("seed"))
        assert seeded.returncode == 0, seeded.stderr
    finally:
        worker.terminate()
        assert worker.wait(60) == 0
    assert set(digests(postgresql_url)) == {"polar", "calcom", "resend"}
