"""The signs of AI in a pull request, weighed as the application does: a score, and what it consists of."""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tformance_seed.canonical_json import json_text
from tformance_seed.simulate.summaries import ai_part
from tformance_seed.sources.records import Columns

#: Weights of the signs: the summary's confidence, the text, AI co-authors of commits, an AI reviewer, and
#: files that configure an AI tool.
OF_SUMMARY, OF_TEXT, OF_COMMITS, OF_REVIEWS, OF_FILES = 0.40, 0.20, 0.25, 0.10, 0.05

#: Decimals of the score.
DECIMALS = 3


def ai_signals(prs: Columns) -> Columns:
    """Return ``ai_signals`` and ``ai_confidence_score`` (0 to 1) beside summaries that are generated.

    Parameters:
      prs: pull requests of a complete batch.
    """
    signs = zip(
        prs["ai_tools"].tolist(),
        *(prs[f"has_ai_{name}"].tolist() for name in ("commits", "review", "files")),
        strict=True,
    )
    weighed = [_weigh(*sign) for sign in signs]
    return {
        "ai_signals": np.array([text for text, _ in weighed], dtype="S"),
        "ai_confidence_score": np.array([score for _, score in weighed], dtype=np.float64),
    }


@functools.lru_cache(maxsize=4096)
def _weigh(tools: bytes, commits: bool, review: bool, files: bool) -> tuple[bytes, float]:
    ai = json.loads(ai_part(tools, commits).json)
    signals, score = weigh(ai, json.loads(tools), commits=commits, review=review, files=files)
    return json_text(signals).encode(), score


def weigh(
    ai: Mapping[str, Any] | None, tools: Sequence[str], *, commits: bool, review: bool, files: bool
) -> tuple[dict[str, dict[str, Any]], float]:
    """Return ``ai_signals`` and ``ai_confidence_score``.

    Parameters:
      ai: the summary's part about AI; None if there is no summary.
      tools: the tools detected in title and body.
      commits, review, files: whether a commit names an AI, an AI reviewed, files configure one.
    """
    by_summary = ai if ai and ai.get("is_assisted") else {}
    confidence = by_summary.get("confidence")
    certainty = 1.0 if confidence is None else confidence
    signals: dict[str, dict[str, Any]] = {
        "llm": {
            "score": OF_SUMMARY * certainty if by_summary else 0.0,
            "is_assisted": bool(by_summary),
            "tools": list(by_summary.get("tools", [])),
            "confidence": confidence,
        },
        "regex": {
            "score": OF_TEXT if tools else 0.0,
            "is_assisted": bool(tools),
            "tools": list(tools),
        },
        "commits": {"score": OF_COMMITS if commits else 0.0, "has_ai": commits},
        "reviews": {"score": OF_REVIEWS if review else 0.0, "has_ai": review},
        "files": {"score": OF_FILES if files else 0.0, "has_ai": files},
    }
    return signals, round(sum(signal["score"] for signal in signals.values()), DECIMALS)
