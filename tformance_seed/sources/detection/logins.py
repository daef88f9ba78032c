"""Know the programs among reviewers and authors by their logins."""

import re

#: Tool -> its logins, in lower case. Other logins of the same tools are people to the application.
LOGINS = {
    "autofix": ("autofix-ci[bot]",),
    "chatgpt_codex": ("chatgpt-codex-connector",),
    "codecov": ("codecov[bot]", "codecov-io"),
    "coderabbit": ("coderabbitai", "coderabbit[bot]"),
    "copilot": ("github-copilot[bot]", "copilot[bot]", "copilot-pull-request-reviewer"),
    "dependabot": ("dependabot[bot]", "dependabot-preview[bot]"),
    "devin": ("devin-ai-integration[bot]", "devin[bot]", "devin-ai[bot]"),
    "github_actions": ("github-actions[bot]",),
    "graphite": ("graphite-app", "graphite-app[bot]"),
    "greptile": ("greptile[bot]", "greptileai[bot]", "greptile-apps"),
    "inkeep": ("inkeep", "inkeep[bot]"),
    "linear": ("linear[bot]",),
    "posthog_upgrader": ("posthog-js-upgrader",),
    "renovate": ("renovate[bot]", "renovate-bot"),
    "replexica": ("replexica[bot]", "lingodotdev[bot]"),
    "snyk": ("snyk-bot", "snyk[bot]"),
    "sonarcloud": ("sonarcloud[bot]", "sonarqube[bot]"),
    "vercel": ("vercel[bot]",),
}
_TOOL_OF_LOGIN = {login: tool for tool, logins in LOGINS.items() for login in logins}

#: The login in GitHub's noreply address: ``49699333+dependabot[bot]@users.noreply.github.com``.
_NOREPLY = re.compile(r"(?:\d+\+)?([^@+]+)@users\.noreply\.github\.com", re.IGNORECASE)


def reviewer_type(login: str) -> str:
    """Return the tool that a login belongs to, as of an AI reviewer; empty for everybody else."""
    return _TOOL_OF_LOGIN.get(login.lower(), "")


def author_tool(name: str, email: str) -> str:
    """Return the tool whose login an author's name or GitHub address is; empty for everybody else."""
    address = _NOREPLY.fullmatch(email)
    return reviewer_type(address[1] if address else name)
