"""Fill a tformance database with believable data: fast, repeatably, at any scale."""

import importlib
from typing import TYPE_CHECKING, Any

from tformance_seed.errors import (
    InputError,
    OrganisationBusyError,
    SeedError,
    TooManyConnectionsError,
    TransientError,
    UnavailableError,
)

if TYPE_CHECKING:
    from tformance_seed.api import connect, seed, verify
    from tformance_seed.bulk import upsert

__version__ = "0.2.0"

__all__ = [
    "InputError",
    "OrganisationBusyError",
    "SeedError",
    "TooManyConnectionsError",
    "TransientError",
    "UnavailableError",
    "__version__",
    "connect",
    "seed",
    "upsert",
    "verify",
]

#: Function -> its module, which is imported when first used, so that the command line starts quickly.
_HOMES = {
    "connect": "tformance_seed.api",
    "seed": "tformance_seed.api",
    "upsert": "tformance_seed.bulk",
    "verify": "tformance_seed.api",
}


def __getattr__(name: str) -> Any:
    """Import a function of the API when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value
