"""Importing the package does no work, whatever the environment says."""

import json
import subprocess
import sys

from tests.support.commands import clean, command

WRONG = {"TFORMANCE_BROKER_URL": "kafka://x", "TFORMANCE_REDIS_URL": "nonsense", "DATABASE_URL": "nonsense"}

#: Imports every module, and prints what it did besides as JSON.
IMPORT_ALL = """
import importlib, json, pkgutil, sys, threading
import tformance_seed

FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "sqlite3.connect", "os.mkdir")
done = []


def watch(event, arguments):
    if event in FORBIDDEN:
        done.append(f"{event} {arguments}")
    if event == "open" and folder in str(arguments[0]) and not str(arguments[0]).endswith((".py", ".pyc")):
        done.append(f"open {arguments[0]}")


(folder,) = tformance_seed.__path__
names = [module.name for module in pkgutil.walk_packages(tformance_seed.__path__, "tformance_seed.")]
names.remove("tformance_seed.__main__")
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
print(json.dumps({"modules": len(names), "done": done, "threads": threading.active_count()}))
"""

#: Runs a command, then prints which drivers were imported for it.
RUN_AND_LIST = """
import sys
from tformance_seed.cli.app import main

sys.argv = ["tformance-seed", *sys.argv[1:]]
try:
    main()
finally:
    print(sorted({"redis", "pika", "altair"} & sys.modules.keys()))
"""


def python(code, *arguments, environment=None):
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=clean(environment or {}) | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_every_module_is_imported_without_a_side_effect():
    report = json.loads(python(IMPORT_ALL, environment=WRONG))
    assert report["modules"] > 100
    assert report["done"] == []
    assert report["threads"] == 1


def test_a_preview_needs_no_broker(tmp_path):
    url = f"sqlite:///{tmp_path}/preview.db"
    result = command("seed", "polar", "--dry-run", "--database", url, TFORMANCE_BROKER_URL="kafka://x")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_run_in_this_process_imports_no_driver_of_a_broker(tmp_path):
    options = ("--days", "7", "--until", "2026-03-18", "--database", f"sqlite:///{tmp_path}/local.db")
    assert python(RUN_AND_LIST, "seed", "resend", *options).splitlines()[-1] == "[]"
