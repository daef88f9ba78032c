"""The sources by name. One line makes a source known: to the command line, to planning and to workers."""

import importlib
from typing import TYPE_CHECKING

from tformance_seed.errors import InputError

if TYPE_CHECKING:
    from tformance_seed.sources.source_type import SourceType

#: Name -> module whose ``SOURCE_TYPE`` it is; imported when it is used, so that help stays quick.
SOURCES = {
    "synthetic": "tformance_seed.sources.synthetic.plan",
    "git": "tformance_seed.sources.git.plan",
}

#: The source of requests that neither name nor imply one.
DEFAULT_SOURCE = "synthetic"


def source_type(name: str) -> "SourceType":
    """Return the kind of source of a name.

    Raises:
      InputError: there is none.
    """
    if name not in SOURCES:
        raise InputError(f"--source {name}: expected {' or '.join(SOURCES)}")
    found: SourceType = importlib.import_module(SOURCES[name]).SOURCE_TYPE
    return found
