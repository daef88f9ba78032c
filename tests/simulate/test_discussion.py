"""What people write in reviews and comments is about the file that it is on."""

import re

import numpy as np
import pytest

from tests.support.synthetic import make_profile
from tformance_seed.simulate.discussion import (
    ANSWER,
    APPROVED,
    BY_BOT,
    BY_REVIEW_BOT,
    CHANGES_REQUESTED,
    EXTENSIONS,
    ON_LINE,
    ON_PULL_REQUEST,
    _load,
    comment_texts,
    review_texts,
)
from tformance_seed.sources.detection import file_category

SIZE = 4000


def comments(path: bytes, kind: int) -> list[str]:
    random, key = make_profile().random, np.arange(SIZE, dtype=np.uint64)
    position, category = (
        np.zeros(SIZE, dtype=np.int64),
        file_category(path.decode()).encode() if path else b"",
    )
    texts = comment_texts(
        random, key, position, np.full(SIZE, kind), np.full(SIZE, path), np.full(SIZE, category)
    )
    return [text.decode() for text in texts.tolist()]


@pytest.mark.parametrize(
    ("path", "about"),
    [
        (b"src/billing/invoice.py", "python"),
        (b"src/features/cart/CartDrawer.tsx", "script"),
        (b"internal/auth/session.go", "go"),
        (b"crates/core/src/wal.rs", "rust"),
        (b"src/billing/test_invoice.py", "test"),
        (b"docs/guides/billing.md", "docs"),
        (b".github/workflows/ci.yml", "config"),
    ],
)
def test_half_of_the_comments_on_a_line_are_about_its_language(path, about):
    name = path.rpartition(b"/")[2].decode()

    def filled(table):
        lines = _load()["on_line"][table].strip().splitlines()
        return {
            line.replace("{file}", name).replace("{name}", name.partition(".")[0] or name) for line in lines
        }

    seen = comments(path, ON_LINE)
    own = sum(text in filled(about) for text in seen)
    assert 0.42 < own / SIZE < 0.58
    assert set(seen) == filled(about) | filled("any")


@pytest.mark.parametrize("kind", [ON_LINE, ANSWER, ON_PULL_REQUEST, BY_BOT])
def test_no_comment_is_empty_or_has_a_placeholder(kind):
    for path in (b"", b"src/a.py", b".env"):
        assert not [text for text in comments(path, kind) if not text or re.search(r"[{}]", text)]


def test_every_list_about_lines_is_used():
    assert set(_load()["on_line"]) == {"any", "test", "docs", "config", *EXTENSIONS}


def test_bots_always_write_and_people_half_of_the_time():
    random, key = make_profile().random, np.arange(SIZE, dtype=np.uint64)
    for kind, share in ((APPROVED, 0.375), (CHANGES_REQUESTED, 0.5), (BY_REVIEW_BOT, 0)):
        texts = review_texts(random, key, np.zeros(SIZE, dtype=np.int64), np.full(SIZE, kind))
        assert (texts == b"").mean() == pytest.approx(share, abs=0.03)
