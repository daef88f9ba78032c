"""Find out who took part in pull requests, and who of them is a member of the organisation."""

from collections.abc import Collection
from dataclasses import dataclass, field

from tformance_seed.sources.github import facts
from tformance_seed.sources.github.options import ALL, AUTHORS, REVIEWERS
from tformance_seed.sources.github.snapshots import (
    Snapshot,
    Window,
    account_identity,
    commit_identity,
    is_program,
)
from tformance_seed.sources.people import Identity, People

#: The states of reviews that are verdicts. Whoever has given none has only commented.
VERDICTS = ("approved", "changes_requested", "dismissed")


@dataclass
class Participants:
    """The people of an organisation, added pull request by pull request.

    Parameters:
      members_from: who may be a member: some of authors, reviewers, all.
    """

    window: Window
    members_from: Collection[str]
    people: People = field(default_factory=People)

    def add(self, pull_request: facts.PullRequest, stood: Snapshot, begin: int, *, selected: bool) -> None:
        """Add everybody who took part in a pull request, with the times of what they did.

        Parameters:
          begin: earlier times count as this one, in seconds since 1970: how far back a cache goes is chance.
          selected: whether taking part makes a member.
        """
        everybody = ALL in self.members_from
        if everybody or AUTHORS in self.members_from:
            self._add_account(pull_request.author, stood.created, begin, selected=selected)
            self._add_account(pull_request.author, stood.ended, begin, selected=selected)
            for commit in pull_request.commits:
                self._add_commit(commit, stood, begin, selected=selected)
        for review in pull_request.reviews or ():
            if everybody or (REVIEWERS in self.members_from and review.state in VERDICTS):
                when = self.window.known(review.submitted_at)
                self._add_account(review.author, when, begin, selected=selected)
        for comment in (pull_request.comments or ()) if everybody else ():
            when = self.window.known(comment.created_at)
            self._add_account(comment.author, when, begin, selected=selected)

    def _add_commit(self, commit: facts.Commit, stood: Snapshot, begin: int, *, selected: bool) -> None:
        """Add the author of a commit, who is the owner of the account that GitHub knows."""
        identity = commit_identity(commit)
        if self.window.known(commit.committed_at) is None or not any(identity):
            return
        when = max(min(self.window.seconds(commit.authored_at), stood.ended), begin)
        self.people.add(identity, when, commits=1, selected=selected)
        if commit.account is not None and not is_program(commit.account):
            self._add_account(commit.account, when, begin, selected=selected)
            self.people.link(identity, account_identity(commit.account))

    def _add_account(
        self, account: facts.Account | None, when: int | None, begin: int, *, selected: bool
    ) -> None:
        if account is not None and when is not None and not is_program(account):
            identity: Identity = account_identity(account)
            self.people.add(identity, max(when, begin), commits=0, selected=selected)
