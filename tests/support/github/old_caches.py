"""Caches as the application's former seeder left them."""

import json
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


def entry(number: int, day: str = "2026-02-02", **values: Any) -> Entry:
    """A pull request of Ann's, opened in the morning and merged in the evening, reviewed by Bob at noon."""
    return {
        "number": number,
        "title": f"Change {number}",
        "body": "",
        "state": "merged",
        "is_merged": True,
        "is_draft": False,
        "created_at": f"{day}T08:00:00Z",
        "updated_at": f"{day}T20:00:00Z",
        "merged_at": f"{day}T20:00:00Z",
        "closed_at": f"{day}T20:00:00Z",
        "additions": 3,
        "deletions": 1,
        "author_login": "ann",
        "author_id": 11,
        "head_ref": f"branch-{number}",
        "base_ref": "main",
        "labels": ["bug"],
        "milestone_title": None,
        "assignees": ["bobray"],
        "linked_issues": [5],
        "commits": [
            {
                "sha": f"{number:040x}",
                "message": f"Work {number}",
                "author_login": "ann",
                "author_name": "Ann Lee",
                "committed_at": f"{day}T07:00:00Z",
                "additions": 3,
                "deletions": 1,
            }
        ],
        "reviews": [
            {
                "github_review_id": 9_000 + number,
                "reviewer_login": "bobray",
                "state": "APPROVED",
                "submitted_at": f"{day}T12:00:00Z",
                "body": "Fine",
            }
        ],
        "files": [{"filename": f"src/f{number}.py", "status": "modified", "additions": 3, "deletions": 1}],
        "check_runs": [
            {
                "github_id": 70_000 + number,
                "name": "tests",
                "status": "completed",
                "conclusion": "success",
                "started_at": f"{day}T09:00:00Z",
                "completed_at": f"{day}T09:05:00Z",
            }
        ],
    } | values


def document(repository: str, *entries: Any, **values: Any) -> Entry:
    return {
        "repo": repository,
        "fetched_at": "2026-02-20T10:00:00+00:00",
        "since_date": "2025-12-01T00:00:00+00:00",
        "repo_pushed_at": "2026-02-19T10:00:00Z",
        "prs": list(entries),
    } | values


def write(folder: Path, repository: str, *entries: Any, **values: Any) -> Path:
    """Write a cache, folder/owner/name.json."""
    path = folder / f"{repository}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(repository, *entries, **values)))
    return path
