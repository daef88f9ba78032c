"""AI tools are found where the application finds them; what is wanted was computed by the application."""

import pytest

from tformance_seed.catalog import load_organisations
from tformance_seed.sources.detection import (
    REVIEW_TOOLS,
    UNCOUNTED_TOOLS,
    ai_tools,
    author_tool,
    co_author_tools,
    is_ai_file,
    is_bot,
    reviewer_type,
)
from tformance_seed.sources.detection.logins import LOGINS
from tformance_seed.sources.detection.mentions import MENTIONS
from tformance_seed.sources.detection.trailers import TRAILERS
from tformance_seed.sources.records import AI_CODE, AI_NONE, AI_REVIEW, ai_kind

TOOLS = (
    "claude_code claude copilot cursor cody coderabbit mintlify windsurf tabnine codewhisperer amazon_q"
    " gemini chatgpt warp aider cubic greptile devin replexica ai_generic"
)


def test_tools_are_in_the_applications_order() -> None:
    assert [rule.tool for rule in MENTIONS] == TOOLS.split()


@pytest.mark.parametrize("rule", MENTIONS, ids=lambda rule: rule.tool)
@pytest.mark.parametrize("form", ["{}", "# Why\n\n{}\n\nThe end", "{},", "({})"])
def test_a_mention_is_found_anywhere_and_in_any_case(rule, form: str) -> None:
    for text in rule.found:
        for cased in (text, text.lower(), text.upper()):
            assert rule.tool in ai_tools(form.format(cased)), cased


@pytest.mark.parametrize("rule", MENTIONS, ids=lambda rule: rule.tool)
def test_a_name_alone_is_not_found(rule) -> None:
    for text in rule.not_found:
        assert ai_tools(f"Title\n{text}\nThe end") == [], text


@pytest.mark.parametrize("form", ["Created by {}", "Generated with {}", "Used {} for tests"])
def test_tools_that_the_application_does_not_know_are_not_found(form: str) -> None:
    unknown = ("Codegen", "Codex", "Codeium", "JetBrains", "Graphite", "Sourcery", "Ellipsis", "Qodo", "v0")
    assert [name for name in unknown if ai_tools(form.format(name))] == []


@pytest.mark.parametrize(
    ("text", "tools"),
    [
        ("🤖 Generated with Claude", ["claude_code", "claude"]),
        ("Generated with [Claude Code](https://claude.com/claude-code)", ["claude_code"]),
        ("Link to Devin run: https://app.devin.ai/sessions/1", ["devin"]),
        ("Created by Codegen", []),
        ("Co-Authored-By: Claude <noreply@anthropic.com>", []),
        ("paging with cursor based paging", ["cursor"]),
        ("keep the cursor for the next page", ["cursor"]),
        ("greptile and Summary by CodeRabbit", ["coderabbit", "greptile"]),
        ("No AI was used. AI disclosure: none. Written without AI", []),
        ("No AI was used, but ChatGPT", ["chatgpt"]),
        ("without AI assistance, with Claude Opus", ["claude"]),
    ],
)
def test_what_is_found_in_a_text(text: str, tools: list[str]) -> None:
    assert ai_tools(text) == tools


@pytest.mark.parametrize("rule", TRAILERS, ids=lambda rule: rule.tool)
def test_co_authors_are_found_in_trailers_alone(rule) -> None:
    for person in rule.found:
        assert co_author_tools(f"fix: it\n\nco-authored-BY: {person}\nSigned-off-by: A <a@b.c>") == [
            rule.tool
        ]
        assert co_author_tools(f"fix: it\n\nReviewed-by: {person}") == []
    for person in rule.not_found:
        assert co_author_tools(f"fix: it\n\nCo-authored-by: {person}") == []


def test_co_authors_are_in_the_applications_order_and_named_once() -> None:
    assert [rule.tool for rule in TRAILERS] == (
        ["claude", "copilot", "cursor", "cody", "windsurf", "aider", "devin", "autofix"]
    )
    people = ["Devin <a@b.c>", "Claude <a@b.c>", "Ann Lee <ann@corp.io>", "Claude Opus 4 <a@b.c>"]
    assert co_author_tools("x\n\n" + "\n".join(f"Co-authored-by: {one}" for one in people)) == [
        "claude",
        "devin",
    ]
    assert co_author_tools("fix\n\n🤖 Generated with Claude Code") == []
    for name in ("Gemini", "ChatGPT", "Codegen", "Codeium", "Tabnine"):
        assert co_author_tools(f"fix\n\nCo-authored-by: {name} <a@b.c>") == []


def test_reviewers_are_known_by_exact_logins_in_any_case() -> None:
    for tool, logins in LOGINS.items():
        assert {reviewer_type(login) for login in logins} == {tool}
    assert reviewer_type("CodeRabbitAI") == "coderabbit"
    unknown = (
        "coderabbitai[bot] copilot-pull-request-reviewer[bot] greptile-apps[bot] cubic-dev-ai[bot]"
        " cursor[bot] claude[bot] sourcery-ai[bot] gemini-code-assist[bot] copilot ann"
    )
    assert [login for login in unknown.split() if reviewer_type(login)] == []


def test_authors_are_known_by_name_or_by_github_address() -> None:
    assert author_tool("dependabot[bot]", "support@github.com") == "dependabot"
    assert author_tool("Devin AI", "158243242+devin-ai-integration[bot]@users.noreply.github.com") == "devin"
    assert author_tool("Ann Lee", "1+ann@users.noreply.github.com") == ""


@pytest.mark.parametrize(
    "path",
    [
        "CLAUDE.md",
        "docs/claude.md",
        ".claude/settings.json",
        ".github/workflows/claude-review.yml",
        ".cursorrules",
        "web/.cursorrules",
        ".cursor/rules/api.mdc",
        ".cursor/environment.json",
        ".cursor/mcp.json",
        ".github/copilot-instructions.md",
        ".aider.conf.yml",
        ".aider/x",
        ".coderabbit.yaml",
        ".coderabbit.yml",
        ".greptile.yaml",
        ".greptile.yml",
    ],
)
def test_configuration_of_an_ai_tool_is_known(path: str) -> None:
    assert is_ai_file(path)
    assert is_ai_file(path.upper())


@pytest.mark.parametrize(
    "path",
    [
        "AGENTS.md",
        ".windsurfrules",
        "web/.cursor/rules/a.mdc",
        ".cursor/rules/a.md",
        ".cursorignore",
        "docs/claude.py",
        "cursor-pagination/CLAUDE.md",
        "a/cursor_pagination/claude.md",
        "src/ai/gemini/CLAUDE.md",
        "src/langchain-js/gemini/CLAUDE.md",
        "contract-rules/CLAUDE.md",
        ".github/workflows/ci.yml",
    ],
)
def test_other_files_configure_no_ai_tool(path: str) -> None:
    assert not is_ai_file(path)


@pytest.mark.parametrize(
    ("tools", "signed", "kind"),
    [
        ([], False, AI_NONE),
        (["snyk"], False, AI_NONE),
        (["snyk", "cubic"], False, AI_REVIEW),
        (["cursor", "coderabbit"], False, AI_CODE),
        (["replexica"], False, AI_CODE),
        ([], True, AI_CODE),
    ],
)
def test_tools_that_review_and_tools_that_do_not_count_are_told_apart(
    tools: list[str], signed: bool, kind: int
) -> None:
    assert ai_kind(tools, signed=signed) == kind


def test_categories_of_tools_do_not_overlap() -> None:
    assert not REVIEW_TOOLS & UNCOUNTED_TOOLS


def test_no_organisation_is_named_like_a_tool() -> None:
    """A name that is a mention would be in the texts of reverts."""
    names = [
        f"{one.name}\nReverts {repository}#4"
        for one in load_organisations().values()
        for repository in one.repos
    ]
    assert [name for name in names if ai_tools(name)] == []


@pytest.mark.parametrize(
    "text",
    [
        "-" * 100_000,
        "claude " + "* " * 50_000,
        "co-authored-by:" + " " * 100_000,
        "co-authored-by: " * 20_000 + "<",
        "\n" * 100_000,
        "copilot\n" + "generated by " * 20_000,
        "ai\n" + "warp " * 20_000,
        "🤖 generated with " * 20_000 + "\nclaude",
        "no ai " * 20_000,
    ],
)
@pytest.mark.timeout(5)
def test_long_texts_without_a_tool_contain_none_and_take_no_time(text: str) -> None:
    assert ai_tools(text) == []
    assert co_author_tools(text) == []


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com"),
        ("github-actions", "github-actions@github.com"),
        ("GitHub Actions", "actions@github.com"),
        ("renovate", "bot@renovateapp.com"),
        ("Stilla Bot", "x@y.z"),
        ("pre-commit", "github-actions@github.com"),
        ("Claude", "noreply@anthropic.com"),
        ("Copilot", "198982749+Copilot@users.noreply.github.com"),
        ("someone", "1+thing[bot]@users.noreply.github.com"),
    ],
)
def test_program_is_a_bot(name: str, email: str) -> None:
    assert is_bot(name, email)


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("Ann Lee", "ann@corp.io"),
        ("Abbot", "abbot@x.io"),
        ("Claude Monet", "c@art.fr"),
        ("Devin", "d@x.io"),
        ("Jane Doe", "jane@anthropic.com"),
        ("", ""),
    ],
)
def test_person_is_no_bot(name: str, email: str) -> None:
    assert not is_bot(name, email)
