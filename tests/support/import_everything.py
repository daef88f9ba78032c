"""Import modules and print what that touched outside: ``python import_everything.py PACKAGE MODULE...``.

Libraries are imported first, unobserved: what they do at import is theirs.
"""

import importlib
import sys
import threading

LIBRARIES = (
    "dramatiq",
    "numpy",
    "peewee",
    "playhouse.postgres_ext",
    "psycopg2",
    "redis",
    "rich.console",
    "typer",
)

#: Audit events of connections, files of databases, and processes.
OUTSIDE = ("os.fork", "socket.connect", "socket.gethostname", "sqlite3.connect", "subprocess.Popen")


def main(package: str, *modules: str) -> None:
    touched = []

    def observe(event: str, arguments: tuple) -> None:
        if event in OUTSIDE:
            touched.append(event)
        elif event == "open" and str(arguments[0]).startswith(package):
            path = str(arguments[0])
            if not path.endswith(".py") and "__pycache__" not in path:
                touched.append(f"open:{path}")

    for library in LIBRARIES:
        importlib.import_module(library)
    sys.addaudithook(observe)
    for module in modules:
        importlib.import_module(module)
    print(*touched, *(f"thread:{thread.name}" for thread in threading.enumerate()[1:]), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
