"""URLs of databases and brokers: what is accepted, and that no part of a password is ever shown."""

import string
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.commands import command
from tests.support.servers import free_port
from tformance_seed.storage.embedded.server import Server
from tformance_seed.urls import mask, parse_server_url, without_secrets

#: What URLs put between their parts, and what cannot stand in one; letters that no message has in a row.
passwords = st.text("QXZJ7" + "%@:/?#&=+, []\t\x7f\N{LATIN SMALL LETTER E WITH ACUTE}\udcff", min_size=6)

schemes = st.sampled_from(["postgresql", "postgres", "redis", "rediss", "amqp", "amqps"])
forms = st.sampled_from(
    [
        "{scheme}://me:{password}@127.0.0.1:1/0",
        "{scheme}://:{password}@127.0.0.1:1/0",
        "{scheme}:/me:{password}@127.0.0.1:1/0",
        "{scheme}:me:{password}@127.0.0.1:1/0",
        "{scheme}://me:{password}@127.0.0.1:1",
        "{scheme}://127.0.0.1:1/0?password={password}",
        "{scheme}://me@127.0.0.1:1/0?sslpassword={password}&x=1",
    ]
)


def assert_hidden(password: str, text: str) -> None:
    """Check that no six characters in a row of a password are in a text, as they are or encoded."""
    for secret in (password, quote(password, safe="", errors="surrogatepass")):
        for start in range(len(secret) - 5):
            assert secret[start : start + 6] not in text


@given(schemes, forms, passwords, st.booleans())
@settings(max_examples=500)
def test_a_shown_url_has_no_part_of_a_password(scheme, form, password, encode):
    written = quote(password, safe="", errors="surrogatepass") if encode else password
    url = form.format(scheme=scheme, password=written)
    assert_hidden(password, without_secrets(url))
    if parse_server_url(url) is not None:
        assert_hidden(password, mask(f"wrong: {written}", url))


@given(form=forms, password=passwords, encode=st.booleans())
@settings(max_examples=25, deadline=None)
@example(form="{scheme}://:{password}@127.0.0.1:1/0", password="1234/QXZJQXZJ", encode=False)
@example(form="{scheme}://me:{password}@127.0.0.1:1/0", password="QXZJQX%zzQXZJ", encode=False)
def test_no_command_prints_a_part_of_a_password(tmp_path_factory, form, password, encode):
    folder = tmp_path_factory.mktemp("urls")
    written = quote(password, safe="", errors="surrogatepass") if encode else password
    database, redis, amqp = (
        form.format(scheme=scheme, password=written) for scheme in ("postgresql", "redis", "amqp")
    )
    results = [
        command("status", "--database", database),
        command("seed", "--dry-run", "--database", "-", answer=f"{database}\n"),
        command("doctor", "--broker", redis, "--json", folder=folder),
        command("seed", "--days", "5", "--broker", redis, folder=folder),
        command("worker", "--broker", amqp.replace("amqp://", "amqp:///"), folder=folder),
    ]
    for result in results:
        assert result.returncode != 0
        assert_hidden(password, result.stdout + result.stderr)
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://app:pw@127.0.0.1:5432/app", "postgresql://app@127.0.0.1:5432/app"),
        ("postgresql://app:p:w@a:1,b:2/app?sslmode=require", "postgresql://app@a:1,b:2/app"),
        ("postgresql://[::1]:5432/app", "postgresql://[::1]:5432/app"),
        ("postgresql:///?service=app", "postgresql:///"),
        ("redis://name:pw@queue:6379/0", "redis://queue:6379/0"),
        ("amqp://name:pw@queue/%2F", "amqp://queue/%2F"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
        ("embedded:///folder", "embedded:///folder"),
        ("sqlite://me:pw@host/file", "sqlite://..."),
        ("postgresql://me:pw/x@host/app", "postgresql://..."),
        ("https://host/", "URL"),
        ("pw", "URL"),
    ],
)
def test_a_well_formed_url_is_shown_with_all_that_is_no_secret(url, shown):
    assert without_secrets(url) == shown


@pytest.mark.parametrize("password", ["postgres", "a", "word"])
def test_a_servers_own_sentence_is_kept(password):
    sentence = 'FATAL:  password authentication failed for user "postgres"'
    kept = mask(sentence, f"postgresql://postgres:{password}@host/app")
    assert kept == (sentence if password != "word" else sentence.replace("word", "***"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """The port of a server that wants a password of everybody, and of the role that has one."""
    server, port = Server(tmp_path_factory.mktemp("guarded") / "data"), free_port()
    server.start(port=port)
    yield server.url(), port
    server.release()


def test_a_wrong_password_is_told_in_the_servers_words(guarded):
    _, port = guarded
    result = command("status", "--database", f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres")
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert 'password authentication failed for user "postgres"' in result.stderr


def test_a_password_need_not_stand_in_a_url(guarded, tmp_path):
    import psycopg2

    local, port = guarded
    password = string.ascii_letters
    connection = psycopg2.connect(local)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE ROLE app LOGIN PASSWORD '{password}'")
    connection.close()
    service, passwords_file = tmp_path / "services", tmp_path / "passwords"
    passwords_file.write_text(f"127.0.0.1:{port}:*:app:{password}\n")
    passwords_file.chmod(0o600)
    service.write_text(
        f"[app]\nhost=127.0.0.1\nport={port}\ndbname=postgres\nuser=app\npassword={password}\n"
    )
    without = f"postgresql://app@127.0.0.1:{port}/postgres"
    for arguments, answer, environment in (
        ((without,), "", {"PGPASSFILE": str(passwords_file)}),
        (("postgresql:///?service=app",), "", {"PGSERVICEFILE": str(service)}),
        (("postgresql://",), "", {"PGSERVICEFILE": str(service), "PGSERVICE": "app"}),
        (("-",), f"postgresql://app:{password}@127.0.0.1:{port}/postgres\n", {}),
    ):
        result = command("verify", "--database", *arguments, answer=answer, **environment)
        assert "no tables of the application" in result.stderr, result.stderr
        assert password not in result.stderr
