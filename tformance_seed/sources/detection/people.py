"""Tell programs from people among the authors of commits."""

import functools
import re

#: AI tool -> pattern that identifies it as an author, matched against the whole of ``name <email>``.
#: Names that people have, and names that are common words, need the tool's own address or a model's name as
#: well. The vendors' employees have addresses at the same domains, so a domain alone is not evidence.
IDENTITIES = {
    "aider": r"(?:.* )?\(aider\) .*|aider\b.*|.*<(?:aider|noreply)@aider\.chat>",
    "chatgpt": r"(?:openai )?(?:chatgpt|codex|gpt-[345o])\b.*|.*<(?:codex|noreply)@openai\.com>",
    "claude": r"claude(?: <>|\[bot\].*| (?:opus|sonnet|haiku|fable|[\d.]+)\b.*)"
    r"|(?!claude[ -]code\b).*<(?:noreply|claude)@anthropic\.com>|.*\+claude(?:\[bot\])?@users\..*",
    "claude_code": r"claude[ -]code\b.*",
    "codegen": r"codegen(?:-sh)?\[bot\].*|codegen.*@codegen\.(?:com|sh)>",
    "coderabbit": r"code ?rabbit.*",
    "copilot": r"(?:github )?copilot\b.*|.*\+copilot(?:\[bot\])?@users\..*",
    "cubic": r"cubic(?:-dev-ai.*| ai\b.*|.*@cubic\.dev>)",
    "cursor": r"cursor(?: agent\b.*| ai\b.*|\[bot\].*| <>)"
    r"|.*<(?:cursoragent|agent|noreply)@cursor\.(?:com|sh)>",
    "devin": r"devin(?: ai\b.*|-ai-integration.*|\[bot\].*| <>)|.*\+devin-ai-integration\[bot\]@.*",
    "ellipsis": r"ellipsis(?:-dev)?\[bot\].*|ellipsis.*@ellipsis\.dev>",
    "gemini": r"gemini(?: <>|-code-assist.*|-cli.*| (?:cli|code assist|pro|flash|[\d.]+)\b.*)"
    r"|gemini.*@google\.com>",
    "greptile": r"greptile.*",
    "sourcery": r"sourcery(?:[ -]ai\b.*|\[bot\].*| <.*)",
    "windsurf": r"windsurf\b.*",
}

#: Names and addresses of other programs.
_BOT = re.compile(
    r"(?:.*\[bot\]|.*[-_ ]bot|dependabot(?:-preview)?|renovate|github[- ]actions?|greenkeeper|pre-commit-ci"
    r"|mergify|imgbot|allcontributors|weblate|codecov|hosted weblate|github merge queue)",
    re.IGNORECASE,
)
_BOT_ADDRESS = re.compile(r"[^@]*\[bot\]@|(?:action|github-actions|bot)@", re.IGNORECASE)

_AI_TOOL = re.compile("|".join(IDENTITIES.values()), re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def is_bot(name: str, email: str = "") -> bool:
    """Return whether an author is a program: ``[bot]`` logins, well-known services, AI tools."""
    return (
        _BOT.fullmatch(name.strip()) is not None
        or _BOT_ADDRESS.match(email) is not None
        or _AI_TOOL.fullmatch(f"{name.strip()} <{email.strip()}>") is not None
    )
