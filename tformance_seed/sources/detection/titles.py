"""Read what a pull request's title says about it."""

import re

_JIRA_KEY = re.compile(r"[A-Z][A-Z0-9]+-[0-9]+")


def jira_key(text: str) -> str:
    """Return the first Jira key in a text; empty if there is none.

    Standards are keys as well (UTF-8): the application does not know them from keys.
    """
    match = _JIRA_KEY.search(text)
    return match[0] if match else ""


def is_revert(title: str) -> bool:
    """Return whether a title says that the change reverts another."""
    return "revert" in title.lower()


def is_hotfix(title: str) -> bool:
    """Return whether a title calls the change a hotfix."""
    return "hotfix" in title.lower()
