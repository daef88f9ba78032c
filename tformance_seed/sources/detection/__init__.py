"""Detect AI tools, kinds of files, issue keys and bots by the rules of the application, kept as tables.

What the application finds in its data must be what the data says: every source, and ``verify``, asks here.
"""

from tformance_seed.sources.detection.files import file_category, is_ai_file
from tformance_seed.sources.detection.logins import author_tool, reviewer_type
from tformance_seed.sources.detection.mentions import ai_tools
from tformance_seed.sources.detection.people import is_bot
from tformance_seed.sources.detection.signatures import signing_tools
from tformance_seed.sources.detection.titles import is_hotfix, is_revert, jira_key
from tformance_seed.sources.detection.trailers import co_author_tools

#: Version of the application's detection rules that these are.
DETECTION_VERSION = "2.0.0"

#: Tools that review code, and tools that the application leaves out of its figures; the others write code.
REVIEW_TOOLS = frozenset(
    {
        "codacy",
        "code rabbit",
        "codeant",
        "coderabbit",
        "cubic",
        "deepcode",
        "graphite",
        "greptile",
        "kodus",
        "sonarqube",
        "sourcery",
    }
)
UNCOUNTED_TOOLS = frozenset(
    {"ai", "dependabot", "lingohub", "mintlify", "playwright", "renovate", "rolldown-vite", "snyk", "unknown"}
)

__all__ = [
    "DETECTION_VERSION",
    "REVIEW_TOOLS",
    "UNCOUNTED_TOOLS",
    "ai_tools",
    "author_tool",
    "co_author_tools",
    "file_category",
    "is_ai_file",
    "is_bot",
    "is_hotfix",
    "is_revert",
    "jira_key",
    "reviewer_type",
    "signing_tools",
]
