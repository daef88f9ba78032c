"""The sources by name. One line here registers a source with the command line, planning and workers."""

import difflib
import importlib
from typing import TYPE_CHECKING

from tformance_seed.errors import InputError

if TYPE_CHECKING:
    from tformance_seed.sources.source_type import SourceType

#: Name -> the module that defines ``SOURCE_TYPE``; imported only when used, so that --help stays fast.
SOURCES = {
    "synthetic": "tformance_seed.sources.synthetic.plan",
    "git": "tformance_seed.sources.git.plan",
    "github": "tformance_seed.sources.github.plan",
    "cache": "tformance_seed.sources.github.cache_plan",
}

#: The source for requests that neither name nor imply one.
DEFAULT_SOURCE = "synthetic"


def source_type(name: str) -> "SourceType":
    """Return the source type with a name.

    Raises:
      InputError: there is no source with this name.
    """
    if name not in SOURCES:
        similar = difflib.get_close_matches(name.lower(), SOURCES, n=1)
        hint = f"did you mean {similar[0]}?" if similar else f"expected {' or '.join(SOURCES)}"
        raise InputError(f"--source {name}: {hint}")
    found: SourceType = importlib.import_module(SOURCES[name]).SOURCE_TYPE
    return found
