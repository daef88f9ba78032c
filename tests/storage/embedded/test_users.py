"""An embedded server is up while somebody uses it, however users come and go."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from tests.storage.embedded.conftest import processes_in, wait_until_stopped
from tests.support.commands import clean, command_process
from tests.support.databases import one
from tests.support.servers import wait_until
from tformance_seed.storage.embedded.files import try_lock
from tformance_seed.storage.embedded.server import Server

#: A user that leaves the use of the server to a forked process.
FORK = """
import os, pathlib, sys, time
from tformance_seed.storage.embedded.server import use
url = use(pathlib.Path(sys.argv[1])).url()
if os.fork() == 0:
    print(os.getpid(), flush=True)
    time.sleep(600)
"""


#: A user that leaves when its standard input ends.
LEAVE = """
import pathlib, sys
from tformance_seed.storage.embedded.server import use
print(use(pathlib.Path(sys.argv[1])).url(), flush=True)
sys.stdin.read()
"""


def is_locked_alone(path):
    with path.open() as file:
        return not try_lock(file.fileno(), fcntl.LOCK_SH)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_server_stops_after_its_last_user_however_that_ends(folder, use, number):
    users = [use(folder) for _ in range(3)]
    urls = {user.url() for user in users}
    pid = Server(folder).pid()
    assert len(urls) == 1
    for user in users[:2]:
        user.end(number)
    assert one(urls.pop()) == (1,)
    assert Server(folder).pid() == pid
    users[2].end(number)
    wait_until_stopped(folder)
    assert "database system is shut down" in (folder / "log").read_text()


def test_variables_that_name_another_server_lead_to_no_other(folder, use, monkeypatch):
    """They are what libpq reads, and stand in the environment of those who work with a server."""
    others = {
        "PGHOST": "127.0.0.1",
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": "1",
        "PGUSER": "app",
        "PGDATABASE": "app",
    }
    for name, value in (others | {"PGDATA": "/nonexistent", "PGSSLMODE": "verify-full"}).items():
        monkeypatch.setenv(name, value)
    assert one(use(folder).url()) == (1,)


def test_when_a_command_has_ended_so_has_its_server(tmp_path):
    result = command_process("init", "--database", f"embedded:///{tmp_path}/pg")
    assert result.returncode == 0, result.stderr
    assert not Server(tmp_path / "pg").is_running()
    assert processes_in(tmp_path / "pg") == []


def test_users_that_come_at_the_same_time_to_a_new_folder_share_one_server(tmp_path, use):
    users = [use(tmp_path / "pg") for _ in range(4)]
    assert {one(user.url()) for user in users} == {(1,)}
    assert {path.name for path in tmp_path.iterdir()} == {"pg"}
    assert not [path for path in (tmp_path / "pg").iterdir() if path.name in {".making", ".made"}]


def test_a_user_that_comes_while_the_server_stops_has_it_started_again(folder, use):
    for _ in range(3):
        first = use(folder)
        first.url()
        first.end()
        second = use(folder)
        assert one(second.url()) == (1,)
        second.end()


def test_a_killed_server_is_started_again_by_the_next_user(folder, use):
    first = use(folder)
    first.url()
    os.kill(Server(folder).pid(), signal.SIGKILL)
    assert one(use(folder).url()) == (1,)


def test_the_server_ends_with_a_watcher_that_is_killed(folder, use):
    use(folder).url()
    watcher = psutil.Process(Server(folder).pid()).parent()
    assert "watcher.py" in " ".join(watcher.cmdline())
    watcher.kill()
    wait_until_stopped(folder)


def test_a_terminal_that_closes_or_is_interrupted_reaches_no_server(folder, use):
    user = use(folder)
    url = user.url()
    group = os.getpgid(user.process.pid)
    assert {os.getpgid(process.pid) for process in processes_in(folder)}.isdisjoint({group})
    assert one(url) == (1,)


def test_a_forked_process_is_a_user(folder):
    parent = subprocess.Popen(
        [sys.executable, "-c", FORK, folder], stdout=subprocess.PIPE, text=True, env=clean()
    )
    child = int(parent.stdout.readline())
    assert parent.wait(60) == 0
    assert one(Server(folder).url()) == (1,)
    os.kill(child, signal.SIGKILL)
    parent.stdout.close()
    wait_until_stopped(folder)


def test_a_process_that_uses_a_server_twice_and_leaves_once_has_left(folder):
    server = Server(folder)
    server.start()
    server.start()
    server.release()
    assert processes_in(folder) == []
    server.start()
    assert one(server.url()) == (1,)
    server.release()


@pytest.fixture
def last_user(folder, use):
    """Return the last user, which waits for the server to stop, and the server, which cannot yet."""
    user = use(folder, code=LEAVE, stdin=subprocess.PIPE)
    user.url()
    server = psutil.Process(Server(folder).pid())
    server.suspend()
    user.process.stdin.close()
    user.process.stdin = None
    wait_until(lambda: is_locked_alone(folder / ".users"))  # by the watcher
    yield user.process, server
    if server.is_running():
        server.resume()
    wait_until_stopped(folder)


def test_the_last_user_ends_when_the_server_has_stopped(folder, last_user):
    process, server = last_user
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    server.resume()
    assert process.wait(30) == 0
    assert not Server(folder).is_running()


def test_an_interrupt_of_the_last_users_wait_says_nothing(last_user):
    process, _ = last_user
    process.send_signal(signal.SIGINT)
    assert (process.wait(30), process.stderr.read()) == (0, "")


def test_a_folder_that_is_removed_while_its_server_is_up_is_made_again(folder):
    server = Server(folder)
    server.start()
    shutil.rmtree(folder)
    server.start()
    assert one(server.url()) == (1,)
    server.release()
    assert not server.is_running()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watcher_that_is_told_to_end_stops_the_server_first(folder, use, number):
    use(folder).url()
    psutil.Process(Server(folder).pid()).parent().send_signal(number)
    wait_until(lambda: not Server(folder).is_running())
    assert "database system is shut down" in (folder / "log").read_text()
