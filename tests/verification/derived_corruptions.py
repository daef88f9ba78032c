"""Ways to break each rule about a derived column; each returns the name of the table where it does.

Of the pull requests, 1 is reviewed and without AI, 3 has AI and changes that were requested and made, 4 has
no summary.
"""

from collections.abc import Callable

from tests.support.teams import Coherent
from tests.verification.rows import change, one
from tformance_seed.storage.models import Commit, PRFile, PRReview, PullRequest


def round_too_many(team: Coherent) -> str:
    return change(one(PullRequest, 3), review_rounds=2)


def comment_too_many(team: Coherent) -> str:
    return change(one(PullRequest, 1), total_comments=2)


def tools_without_the_flag(team: Coherent) -> str:
    return change(one(Commit, 3), is_ai_assisted=False)


def flag_without_tools(team: Coherent) -> str:
    return change(one(Commit, 3), is_ai_assisted=True, ai_co_authors=[], message="Change")


def commit_too_many_after_the_review(team: Coherent) -> str:
    return change(one(PullRequest, 1), commits_after_first_review=2)


def fixed_too_late(team: Coherent) -> str:
    return change(one(PullRequest, 3), avg_fix_response_hours=1)


def never_fixed(team: Coherent) -> str:
    return change(one(PullRequest, 3), avg_fix_response_hours=None)


def fixed_though_not_asked(team: Coherent) -> str:
    return change(one(PullRequest, 1), avg_fix_response_hours=1)


def review_with_a_text(team: Coherent) -> str:
    change(one(PRReview, 1), body="LGTM")
    return PullRequest._meta.table_name


def revert_without_the_word(team: Coherent) -> str:
    return change(one(PullRequest, 1), is_revert=True)


def title_of_a_hotfix(team: Coherent) -> str:
    return change(one(PullRequest, 1), title="AC-1 HotFix")


def key_of_another_issue(team: Coherent) -> str:
    return change(one(PullRequest, 1), jira_key="AC-2")


def tool_in_the_body(team: Coherent) -> str:
    return change(one(PullRequest, 1), body="Used ChatGPT for this")


def assisted_without_a_tool(team: Coherent) -> str:
    return change(one(PullRequest, 1), is_ai_assisted=True)


def tool_of_a_bot_named_by_a_member(team: Coherent) -> str:
    return change(one(PullRequest, 4), is_ai_assisted=True, ai_tools_detected=["renovate"])


def other_detection_version(team: Coherent) -> str:
    return change(one(PullRequest, 1), ai_detection_version="1.9.0")


def no_ai_in_commits(team: Coherent) -> str:
    return change(one(PullRequest, 12), has_ai_commits=False)


def ai_in_reviews(team: Coherent) -> str:
    return change(one(PullRequest, 4), has_ai_review=True)


def ai_in_files(team: Coherent) -> str:
    return change(one(PullRequest, 4), has_ai_files=True)


def file_of_an_ai(team: Coherent) -> str:
    change(one(PRFile, 1), filename="CLAUDE.md", file_category="docs")
    return PullRequest._meta.table_name


def certain_without_signs(team: Coherent) -> str:
    return change(one(PullRequest, 1), ai_confidence_score=1)


def signals_of_another(team: Coherent) -> str:
    return change(one(PullRequest, 1), ai_signals=one(PullRequest, 3).ai_signals)


def summary_without_a_part(team: Coherent) -> str:
    return change(one(PullRequest, 1), llm_summary={"ai": {"is_assisted": False}})


def summary_of_another_version(team: Coherent) -> str:
    return change(one(PullRequest, 1), llm_summary_version="8.0.0")


def code_as_documentation(team: Coherent) -> str:
    return change(one(PRFile, 1), file_category="docs")


def unknown_ai_reviewer(team: Coherent) -> str:
    change(one(PullRequest, 4), has_ai_review=True)  # no summary, so no signals to check
    return change(one(PRReview, 4), is_ai_review=True, ai_reviewer_type="cubic")


def type_of_a_person(team: Coherent) -> str:
    return change(one(PRReview, 1), ai_reviewer_type="coderabbit")


def decided_by_nobody(team: Coherent) -> str:
    return change(one(PRReview, 3), reviewer=None)


#: Rule -> ways to break it, each of which breaks no other.
DERIVED: dict[str, list[Callable[[Coherent], str]]] = {
    "fix_hours": [fixed_too_late, never_fixed, fixed_though_not_asked],
    "commits_counted": [commit_too_many_after_the_review],
    "comments_counted": [comment_too_many, review_with_a_text],
    "title_flags": [revert_without_the_word, title_of_a_hotfix],
    "jira_key": [key_of_another_issue],
    "ai_tools": [
        tool_in_the_body,
        assisted_without_a_tool,
        tool_of_a_bot_named_by_a_member,
        other_detection_version,
    ],
    "ai_signs": [no_ai_in_commits, ai_in_reviews],
    "ai_files": [ai_in_files, file_of_an_ai],
    "ai_signals": [certain_without_signs, signals_of_another],
    "summary_format": [summary_without_a_part, summary_of_another_version],
    "file_category": [code_as_documentation],
    "ai_reviewer": [unknown_ai_reviewer, type_of_a_person],
    "decided_by_member": [decided_by_nobody],
    "rounds_counted": [round_too_many],
    "commit_tools": [tools_without_the_flag, flag_without_tools],
}
