"""A summary is valid here if it is valid for the application; what is wanted was computed by it."""

import copy
from typing import Any

import pytest

from tformance_seed.simulate.summary_format import is_valid_summary

VALID: dict[str, dict[str, Any]] = {
    "ai": {"is_assisted": True, "tools": ["claude"], "usage_type": "authored", "confidence": 0.9},
    "tech": {"languages": ["python"], "frameworks": [], "categories": ["backend"]},
    "summary": {"title": "Add exports", "description": "Adds them.", "type": "feature"},
    "health": {"review_friction": "low", "scope": "small", "risk_level": "low", "insights": []},
}


def changed(part: str, key: str, value: Any) -> dict[str, dict[str, Any]]:
    summary = copy.deepcopy(VALID)
    summary[part][key] = value
    return summary


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("tech", "categories", ["backend", "backend"]),
        ("tech", "categories", []),
        ("tech", "categories", ["backend", "frontend", "devops", "mobile", "data"]),
        ("summary", "title", "x" * 100),
        ("summary", "description", "x" * 500),
        ("ai", "confidence", 1),
        ("ai", "confidence", 0),
        ("ai", "usage_type", None),
        ("health", "scope", "xlarge"),
        ("health", "insights", ["x" * 1000]),
    ],
)
def test_valid_values_are_accepted(part: str, key: str, value: Any) -> None:
    assert is_valid_summary(changed(part, key, value))


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("tech", "categories", ["test"]),
        ("summary", "type", "revert"),
        ("summary", "type", "unknown"),
        ("summary", "title", "x" * 101),
        ("summary", "title", ""),
        ("summary", "description", "x" * 501),
        ("ai", "confidence", 1.01),
        ("ai", "confidence", None),
        ("ai", "confidence", True),
        ("ai", "is_assisted", None),
        ("ai", "is_assisted", 1),
        ("ai", "tools", [1]),
        ("ai", "unknown", 1),
        ("health", "scope", "xs"),
        ("health", "insights", None),
    ],
)
def test_other_values_are_not(part: str, key: str, value: Any) -> None:
    assert not is_valid_summary(changed(part, key, value))


def test_all_keys_are_required_but_one_and_no_others_are_allowed() -> None:
    for part, keys in VALID.items():
        for key in keys:
            summary = copy.deepcopy(VALID)
            del summary[part][key]
            assert is_valid_summary(summary) == (key == "usage_type")
        assert not is_valid_summary({name: VALID[name] for name in VALID.keys() - {part}})
    assert not is_valid_summary({**VALID, "other": {}})
    assert not is_valid_summary(None)
    assert not is_valid_summary([])
