"""JSON as the package writes it: the same text for the same value, on every database."""

import json
from typing import Any

# json.dumps would make an encoder for each value.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def json_text(value: Any) -> str:
    """Return canonical JSON: the same text for the same value, whatever the order of its keys."""
    return _encode(value)
