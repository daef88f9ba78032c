"""Detect kinds of files, Jira keys, bots and AI tools from the names and texts in a repository.

An AI tool counts if it signed the work: with a co-author trailer, a bot's login, a signature line, or words
that cannot mean anything else. A product's name in running text does not count: "database cursor" and "call
the Gemini API" are about the code, and Claude and Devin are also people's names.
"""

import functools
import re

#: Tools that review; the others write code.
REVIEW_TOOLS = frozenset({"coderabbit", "cubic", "ellipsis", "greptile", "sourcery"})

#: Patterns that identify an AI tool as an author or co-author, matched against the whole of ``name <email>``.
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

#: Patterns for the name of a tool in a signature line.
SIGNED_NAMES = {
    "aider": r"aider",
    "chatgpt": r"(?:openai )?(?:chatgpt|codex)(?: cli)?",
    "claude": r"claude(?: (?:opus|sonnet|haiku|fable))?(?: [\d.]+)?",
    "claude_code": r"claude[ -]code",
    "codegen": r"codegen\.com|codegen\.sh",
    "coderabbit": r"coderabbit(?:\.ai| ai)?",
    "copilot": r"(?:github )?copilot(?: (?:chat|agent|coding agent))?",
    "cubic": r"cubic(?:\.dev)?",
    "cursor": r"cursor(?: agent| ai|\.com)?",
    "devin": r"devin(?: ai|\.ai)?",
    "ellipsis": r"ellipsis\.dev",
    "gemini": r"(?:google )?gemini(?: (?:cli|code assist|pro|flash))?(?: [\d.]+)?",
    "greptile": r"greptile",
    "sourcery": r"sourcery(?:[ -]ai)?",
    "windsurf": r"windsurf(?: ai)?",
}

#: Marks that identify a tool anywhere in a text: logins of bots, links to sessions, and the headings and
#: comments that review tools leave in a pull request's description.
MARKS = {
    "aider": r"^aider: |\(aider\)\s*$|https?://aider\.chat\b",
    "chatgpt": r"chatgpt-codex-connector\[bot\]|https?://chatgpt\.com/(?:codex|share)/",
    "claude": r"(?<![\w-])claude\[bot\]|https?://claude\.ai/(?:chat|share)/",
    "claude_code": r"https?://claude\.(?:ai|com)/(?:code/session|claude-code\))|^claude-session:",
    "codegen": r"codegen-sh\[bot\]|https?://(?:www\.)?codegen\.(?:com|sh)/agent",
    "coderabbit": r"coderabbitai\b|(?:summary|review(?:ed)?|comments?|generated) (?:by|from) code ?rabbit"
    r"|code ?rabbit(?:'s)? (?:code )?(?:review|feedback|suggestion|comment)",
    "copilot": r"copilot-swe-agent\b|copilot-pull-request-reviewer|start copilot coding agent",
    "cubic": r"cubic-dev-ai\b|summary by cubic\b|cubic(?:'s)? (?:code )?(?:review|feedback|suggestion)",
    "cursor": r"(?<![\w-])cursor\[bot\]|cursor_agent_pr_body|https?://(?:www\.)?cursor\.com/(?:agents|background)",
    "devin": r"devin-ai-integration\b|https?://app\.devin\.ai/",
    "ellipsis": r"ellipsis-dev\[bot\]|ellipsis_hidden",
    "gemini": r"gemini-code-assist\b",
    "greptile": r"greptile-apps\b|@greptileai\b|greptile (?:summary|overview|review|feedback|comment)",
    "sourcery": r"sourcery-ai\b|(?:summary|refactored|review) by sourcery\b",
    "windsurf": r"windsurf-bot\[bot\]",
}

_VERBS = (
    "generated|created|written|co-?written|made|built|authored|coded|implemented|developed|assisted|drafted"
)
_TRAILER_KEYS = "co-?authored-by|co-?developed-by"
_ASSIST_KEYS = "assisted-by|ai-assisted-by|generated-by|ai-tool|ai-assistant|ai-agent"

_IDENTITY = {tool: re.compile(pattern, re.IGNORECASE) for tool, pattern in IDENTITIES.items()}
_SIGNED = {
    tool: re.compile(
        # On a separate line: "Generated with [Claude Code](https://...)", "Assisted-by: Claude:opus".
        rf"^[^\w\n]*(?:(?:(?:{_VERBS}) (?:with|by|using|via)(?: the help of)?)|(?:{_ASSIST_KEYS}):)"
        rf"[ \t*_\[`]*{name}(?:[\])*_`:<(].*)?[^\w\n]*$|{MARKS[tool]}",
        re.IGNORECASE | re.MULTILINE,
    )
    for tool, name in SIGNED_NAMES.items()
}
_CO_AUTHOR = re.compile(rf"^[ \t*>-]*(?:{_TRAILER_KEYS}):(.*)", re.IGNORECASE | re.MULTILINE)

#: Words of which at least one occurs in any text with a mark or signature of the tool; by default, the word
#: is the tool's name. Searching for the words first avoids most searches for the slower patterns above.
WORDS = {
    "chatgpt": ("chatgpt", "codex"),
    "claude_code": ("claude",),
    "coderabbit": ("coderabbit", "code rabbit"),
}

_BOT = re.compile(
    r"(?:.*\[bot\]|.*[-_ ]bot|dependabot(?:-preview)?|renovate|github[- ]actions?|greenkeeper|pre-commit-ci"
    r"|mergify|imgbot|allcontributors|weblate|codecov|hosted weblate|github merge queue)",
    re.IGNORECASE,
)
_BOT_ADDRESS = re.compile(r"[^@]*\[bot\]@|(?:action|github-actions|bot)@", re.IGNORECASE)

#: Prefixes that look like a Jira project but belong to standards, versions or advisories.
NO_JIRA_PROJECTS = (
    "AES|AGPL|ANSI|ARM|BASE|BSD|CC0|COVID|CP|CRC|CVE|CWE|DIN|EC2|ECMA|ES|FP|GH|GHSA|GPL|GPT|HMAC|HS|HTTP|HTTPS"
    "|IEC|IEEE|INT|IP|IPV|ISO|LGPL|MD|MPL|OAUTH|PEP|PKCS|PR|PYSEC|RC|RFC|RS|RSA|SHA|SHA2|SHA3|SSL|TLS|UCS|UTC"
    "|UTF|WCAG|WIN|X86"
)
_JIRA_KEY = re.compile(rf"\b(?!(?:{NO_JIRA_PROJECTS})-)[A-Z][A-Z0-9]+-(?!0)\d+\b")

_REVERT = re.compile(r"\s*(?:revert\b|\w+(?:\([^)]*\))?!?:\s*revert\b)", re.IGNORECASE)
_HOTFIX = re.compile(r"\bhot[- _]?fix", re.IGNORECASE)

_TEST = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|e2e|cypress|testdata|__snapshots__|__mocks__)/"
    r"|(?:^|/)(?:test_[^/]*|conftest\.py)$|[._-](?:test|tests|spec|e2e)\.[^/]+$|Tests?\.(?:java|kt|cs|scala)$"
    r"|_(?:test|spec)\.[^/.]+$|\.snap$"
)
_DOCS = re.compile(
    r"^(?:docs?|documentation)/|\.(?:mdx?|rst|adoc|asciidoc|tex)$"
    r"|(?:^|/)(?:readme|license|licence|changelog|changes|contributing|authors|notice|code_of_conduct|security)"
    r"(?:\.[^/.]*)?$",
    re.IGNORECASE,
)
_CONFIG = re.compile(
    r"(?:^|/)\.[^/]+(?:$|/)|\.(?:json5?|jsonc|ya?ml|toml|ini|cfg|conf|env|lock|properties|tf|tfvars|nix|xml|plist)$"
    r"|(?:^|/)(?:[\w.-]*dockerfile[\w.-]*|makefile|procfile|justfile|rakefile|gemfile|pipfile|go\.(?:mod|sum)"
    r"|requirements[\w.-]*\.(?:txt|in)|manifest\.in|[\w.-]+\.config\.[cm]?[jt]s|pnpm-lock\.yaml|codeowners)$",
    re.IGNORECASE,
)

_CATEGORY_OF_EXTENSION = {
    extension: category
    for category, extensions in {
        "frontend": "css scss sass less styl html htm vue svelte astro tsx jsx hbs ejs pug"
        " jinja jinja2 j2 liquid",
        "javascript": "js mjs cjs ts mts cts",
        "backend": "py pyi pyx ipynb go rb erb java kt kts rs php c h cc cpp cxx hpp cs fs scala clj ex exs"
        " erl hs swift m mm sql proto graphql sh bash lua pl r jl dart zig groovy",
    }.items()
    for extension in extensions.split()
}

_AI_CONFIG = re.compile(
    r"(?:^|/)(?:claude(?:\.local)?\.md|agents?\.md|gemini\.md|\.cursorrules|\.cursorignore|\.windsurfrules"
    r"|\.clinerules|\.aider[^/]*|\.coderabbit\.ya?ml|cubic\.yaml|greptile\.json|ellipsis\.ya?ml|\.sourcery\.yaml"
    r"|\.mcp\.json)$|(?:^|/)\.(?:cursor|claude|windsurf|gemini|codex|devin|aider)/"
    r"|(?:^|/)\.github/(?:copilot-instructions\.md|copilot-setup-steps\.yml|instructions/|prompts/|chatmodes/)"
    r"|(?:^|/)\.github/workflows/copilot-setup-steps\.ya?ml$",
    re.IGNORECASE,
)


def file_category(filename: str) -> str:
    """Classify a file as frontend, backend, javascript, test, docs, config or other, from its path."""
    if _TEST.search(filename):
        return "test"
    if _DOCS.search(filename):
        return "docs"
    if _CONFIG.search(filename):
        return "config"
    return _CATEGORY_OF_EXTENSION.get(filename.rpartition(".")[2].lower(), "other")


def is_ai_config(filename: str) -> bool:
    """Return whether the file configures an AI tool, such as ``CLAUDE.md`` or ``.cursor/rules/api.mdc``."""
    return _AI_CONFIG.search(filename) is not None


def jira_key(text: str) -> str:
    """Return the first Jira key in a text; empty if there is none. Standards such as UTF-8 are not keys."""
    match = _JIRA_KEY.search(text)
    return match[0] if match else ""


def co_authors(message: str) -> list[tuple[str, str]]:
    """Return the name and e-mail address of each co-author in a message's trailers."""
    if "-by:" not in message.lower():
        return []
    people = (match[1].partition("<") for match in _CO_AUTHOR.finditer(message))
    return [
        (name.strip(), rest.partition(">")[0].strip()) for name, _, rest in people if name.strip() or rest
    ]


@functools.lru_cache(maxsize=4096)
def ai_identity(name: str, email: str = "") -> str:
    """Return the AI tool that an author or co-author is; empty if it is a person."""
    identity = f"{name.strip()} <{email.strip()}>"
    return next((tool for tool, pattern in _IDENTITY.items() if pattern.fullmatch(identity)), "")


def ai_tools(text: str) -> list[str]:
    """Return the AI tools that signed a text, in alphabetical order."""
    lowered = text.lower()
    found = {
        tool
        for tool, pattern in _SIGNED.items()
        if any(word in lowered for word in WORDS.get(tool, (tool,))) and pattern.search(text)
    }
    found.update(ai_identity(name, email) for name, email in co_authors(text))
    return sorted(found - {""})


def is_bot(name: str, email: str = "") -> bool:
    """Return whether an author is a program: ``[bot]`` logins, well-known services, AI tools."""
    return (
        _BOT.fullmatch(name.strip()) is not None
        or _BOT_ADDRESS.match(email) is not None
        or ai_identity(name, email) != ""
    )


def is_revert(title: str) -> bool:
    """Return whether a title says that the change reverts another."""
    return _REVERT.match(title) is not None


def is_hotfix(title: str) -> bool:
    """Return whether a title calls the change a hotfix."""
    return _HOTFIX.search(title) is not None
