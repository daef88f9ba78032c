"""Tell programs from people among the authors of commits."""

import functools
import re

from tformance_seed.sources.detection.signatures import is_ai_tool

#: Names of programs: those that say so, and services.
NAMES = (
    r".*\[bot\]",
    r"[^ ]*[-_]bot|.* bot",
    r"(?:.*[-_ ])?robot",
    r"[^ ]*(?:ci|merge|sync|publish|release|rust|auto|lint|format|deploy|img|robo)bot(?:app)?",
    r"[^ ]+[-_]ci|(?:circle|travis|gitlab|drone|appveyor|buildkite|semaphore|codefresh) ?-?ci",
    r"generatedunixname\d+|codemodservice .*",  # at Meta
    r"(?:project|group)_\d+_bot\w*",  # access tokens of GitLab
    r"allcontributors|anonymous weblate|auto .*releaser|autofix|azure pipelines|bitbucket pipelines|bors",
    r"codecov|copybara-?(?:service|worker)|crowdin|dependabot(?:-preview)?|depfu|github|github[- ]actions?",
    r"github merge queue|gitlab-ci-token|greenkeeper|homu|imgbot|(?:.* )?jenkins ci|mergify|pre-commit-ci",
    r"(?:(?:mend|whitesource) )?renovate|robobun|scala steward|semantic-release|snyk(?:-\w+)?",
    r"tensorflower gardener|transifex|(?:hosted )?weblate|web-flow|(?:.* )?zuul",
)

#: What comes before the @ of programs' addresses, or their login on GitHub.
LOCAL_PARTS = (
    r".*\[bot\]",
    r"(?:.*[-_.+])?(?:bot|robot)",
    r"[^-_.+]*(?:ci|merge|sync|publish|release|rust|auto|go|deploy)bot",
    r"actions?|builds|copybara-worker|gardener|github-actions|(?:.*-)?jenkins(?:-ci)?|zuul|svc\w*",
    r"(?:.*[-_.])?(?:machine-user|service-account|serviceaccount|automation)|\w+machine",
)

_NAME = re.compile("|".join(NAMES), re.IGNORECASE)
_LOCAL_PART = re.compile("|".join(LOCAL_PARTS), re.IGNORECASE)

#: What comes before the @ in an address, without the number in GitHub's noreply addresses.
_ADDRESS = re.compile(r"(?:\d+\+)?([^@]*)@")


@functools.lru_cache(maxsize=4096)
def is_bot(name: str, email: str = "") -> bool:
    """Return whether an author is a program: ``[bot]`` logins, well-known services, AI tools."""
    name = name.strip()
    address = _ADDRESS.match(email.strip())
    local_part = address[1] if address else ""
    if local_part and name.casefold() == f"{local_part} bot".casefold():
        return False  # a person of this name has the address of their first name
    return (
        _NAME.fullmatch(name) is not None
        or _LOCAL_PART.fullmatch(local_part) is not None
        or is_ai_tool(name, email)
    )
