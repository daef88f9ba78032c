"""Run PostgreSQL in the current folder until nobody uses it any more, then stop it.

This file is run by its path, in a session of its own, and imports nothing but the standard library. The
process is the parent of the server and never asks for its exit status, so the server's process number
belongs to it until this process ends: no other process can be signalled by mistake.

Arguments: the file that users hold a shared lock on; the user and group to run as, "" for this process's
own; the command line.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading

#: The option of Linux's ``prctl`` with which a process is signalled when its parent ends, however it ends.
PR_SET_PDEATHSIG = 1


def watch(users_file: str, user: str, group: str, *command: str) -> None:
    """Run the command; stop it when this process alone can lock the file, or is told to end."""
    users = os.open(users_file, os.O_RDONLY)
    until_it_ends, held_by_the_server = os.pipe()
    os.set_inheritable(held_by_the_server, True)
    server = subprocess.Popen(
        command,
        close_fds=False,  # it inherits the pipe, and the lock that says that a server is in this folder
        preexec_fn=_end_with_parent,
        user=int(user) if user else None,
        group=int(group) if user else None,
        extra_groups=[] if user else None,
    )
    os.close(held_by_the_server)

    def stop(*_: object) -> None:
        os.kill(server.pid, signal.SIGINT)  # disconnect everybody, finish nothing, write what was committed

    def stop_after_the_last_user() -> None:
        fcntl.flock(users, fcntl.LOCK_EX)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    threading.Thread(target=stop_after_the_last_user, daemon=True).start()
    os.read(until_it_ends, 1)  # returns when the server's last process has ended


def _end_with_parent() -> None:
    with contextlib.suppress(AttributeError):  # only Linux has it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


if __name__ == "__main__":
    if os.fork() == 0:  # the process that started this one need not collect its exit status
        watch(*sys.argv[1:])
