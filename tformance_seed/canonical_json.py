"""Canonical JSON, as the package writes it: equal values give equal text, on every database."""

import json
from typing import Any

# json.dumps would create an encoder for each value.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def json_text(value: Any) -> str:
    """Return canonical JSON: equal values give equal text, whatever the order of their keys."""
    return _encode(value)
