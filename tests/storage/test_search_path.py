"""The application's tables are where SQL finds them; the ledger is made beside them and hides nothing."""

import pytest

from tests.support.commands import command, lines_of_errors
from tests.support.examinations import examined, findings, none, only
from tformance_seed.storage.models import LEDGER

SMALL = ("--days", "10", "--until", "2026-03-18", "--members", "5", "--prs", "10")


@pytest.fixture
def user_url(server, application_url):
    """A database of the application, for a user with an empty schema of the same name."""
    name = application_url.split("/")[3].split("?")[0]
    server.execute(f"CREATE ROLE {name} LOGIN SUPERUSER")
    server.execute(f"CREATE SCHEMA AUTHORIZATION {name}", application_url)
    return application_url.replace("postgres@", f"{name}@")


def schemas(server, url):
    """Return the numbers of tables by schema."""
    counted = "SELECT schemaname, count(*) FROM pg_tables WHERE schemaname !~ '^pg_|^information' GROUP BY 1"
    return dict(server.execute(counted, url))


def with_path(url, path):
    return f"{url}&options=-csearch_path%3D{path}"


def test_an_empty_schema_of_the_users_name_hides_nothing(server, application_url, user_url):
    before = schemas(server, application_url)
    assert command("init", "--database", user_url).returncode == 0
    assert command("seed", "resend", *SMALL, "--database", user_url).returncode == 0
    assert schemas(server, application_url) == {"public": before["public"] + len(LEDGER)}
    for url in (user_url, application_url):  # the one finds the user's schema first, the other does not
        assert "resend" in command("report", "--database", url).stdout
        assert command("verify", "--database", url).returncode == 0
        doctor = command("doctor", "--database", url)
        assert (doctor.returncode, "no tables yet" in doctor.stdout) == (0, False)


def test_tables_behind_another_schema_of_the_search_path_are_found(server, application_url):
    server.execute("CREATE SCHEMA first; ALTER TABLE teams_team SET SCHEMA first", application_url)
    before = schemas(server, application_url)
    url = with_path(application_url, "first,public")
    assert command("seed", "resend", *SMALL, "--database", url).returncode == 0
    assert schemas(server, application_url) == {"first": 1 + len(LEDGER), "public": before["public"]}
    assert command("verify", "--database", url).returncode == 0


def test_a_search_path_that_leaves_the_application_out_is_refused_until_init(server, application_url):
    server.execute("CREATE SCHEMA other", application_url)
    before = schemas(server, application_url)
    url = with_path(application_url, "other")
    refused = command("seed", "resend", *SMALL, "--database", url)
    assert (refused.returncode, lines_of_errors(refused.stderr)) == (2, 1)
    assert "leaves out schema public" in refused.stderr
    assert "search-path" in command("doctor", "--database", url).stderr
    assert command("report", "--database", url).returncode == 2
    assert schemas(server, application_url) == before
    assert command("init", "--database", url).returncode == 0
    assert command("seed", "resend", *SMALL, "--database", url).returncode == 0


def test_a_search_path_without_any_schema_is_refused(postgresql_url):
    for arguments in (("seed", *SMALL), ("init",)):
        refused = command(*arguments, "--database", with_path(postgresql_url, "nowhere"))
        assert (refused.returncode, lines_of_errors(refused.stderr)) == (2, 1), refused.stderr
        assert "search path" in refused.stderr


def test_doctor_tells_of_tables_that_hide_the_applications(server, application_url, user_url):
    name = application_url.split("/")[3].split("?")[0]
    server.execute(f"CREATE TABLE {name}.teams_team (LIKE public.teams_team INCLUDING ALL)", application_url)
    assert only(findings(examined(user_url), "Schema"), "hidden-table").where == "schema public"
    assert none(findings(examined(application_url), "Schema"), "hidden-table")
