from pathlib import Path

import numpy as np
import pytest

from tests.support.repositories import BOB, Workshop, read_all, source
from tformance_seed.sampling.keyed_random import text_keys
from tformance_seed.sources.people import redact


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path / "api")


def land(workshop: Workshop, *authors: str) -> None:
    """A pull request by each, a minute apart."""
    for number, author in enumerate(authors, start=1):
        workshop.commit(f"Work (#{number})", f"2025-03-02 10:{number:02}", author)


def members(path: Path, emails: bool = False) -> list[dict]:
    return list(read_all(source(path, emails=emails)).members.values())


def authors(path: Path) -> list[str]:
    return [row["author"] for row in read_all(source(path)).pull_requests]


def test_mailmap_of_the_history_unites_names_and_addresses(workshop: Workshop) -> None:
    (workshop.path / ".mailmap").write_text("Ann Lee <ann@corp.io> A <a@home.net>\n")
    land(workshop, "Ann Lee <ann@corp.io>", "A <a@home.net>")
    assert authors(workshop.path) == ["ann-lee", "ann-lee"]
    assert [member["email"] for member in members(workshop.path, emails=True)] == ["ann@corp.io"]


def test_noreply_address_gives_login_and_id(workshop: Workshop) -> None:
    land(workshop, BOB, "old-timer <old-timer@users.noreply.github.com>")
    bob, old = members(workshop.path)
    assert (bob["github_username"], bob["github_id"]) == ("bobray", "1234")
    assert (bob["display_name"], bob["email"]) == ("Bob Ray", "bobray@example.com")
    assert old["github_username"] == "old-timer"
    assert int(old["github_id"]) > 2**40


def test_one_person_with_several_addresses_names_and_logins_is_one_member(workshop: Workshop) -> None:
    land(
        workshop,
        "Bob Ray <bob@corp.io>",  # the full name of ...
        BOB,
        "bobray <bob@home.net>",  # a name that is the login
        "B. <BOB@corp.io>",  # the first one's address
        "Robert <1234+bobray-old@users.noreply.github.com>",  # the account's number
    )
    assert authors(workshop.path) == ["bobray"] * 5
    (bob,) = members(workshop.path)
    assert (bob["github_id"], bob["display_name"]) == ("1234", "Bob Ray")


def test_people_of_one_name_with_accounts_of_their_own_stay_apart(workshop: Workshop) -> None:
    land(
        workshop,
        "Wei Wang <1+wei@users.noreply.github.com>",
        "Wei Wang <2+wang@users.noreply.github.com>",
        "Alex <alex@one.io>",
        "Alex <alex@two.io>",
    )
    assert authors(workshop.path) == ["wei", "wang", "alex", "alex-2"]
    told_of = members(workshop.path)
    assert len({member["github_id"] for member in told_of}) == 4
    assert len({member["email"] for member in told_of}) == 4


def test_impersonal_addresses_unite_no_one(workshop: Workshop) -> None:
    land(workshop, "Ann Lee <noreply@github.com>", "Carl Ek <noreply@github.com>", "Dee Fox <root@localhost>")
    assert authors(workshop.path) == ["ann-lee", "carl-ek", "dee-fox"]
    addresses = [member["email"] for member in members(workshop.path, emails=True)]
    assert addresses == ["ann-lee@example.com", "carl-ek@example.com", "dee-fox@example.com"]


def test_logins_follow_names_in_any_script_and_are_unique(workshop: Workshop) -> None:
    land(
        workshop,
        "José Ñandú <j@corp.io>",
        "王伟 <w@corp.io>",
        "me@home.net <me@home.net>",
        "Jose Nandu <n@x.io>",
    )
    first, second, third, fourth = members(workshop.path)
    assert first["github_username"] == "jose-nandu"
    assert second["github_username"] == f"dev-{second['github_id']}"
    assert (third["github_username"], third["display_name"]) == ("me", "me")
    assert fourth["github_username"] == "jose-nandu-2"


def test_an_invented_address_is_never_a_real_one(workshop: Workshop) -> None:
    land(workshop, "Kim Poe <dev@example.com>", "dev <3+dev@users.noreply.github.com>", "Dev <none>")
    addresses = [member["email"] for member in members(workshop.path, emails=True)]
    assert len(set(addresses)) == len(addresses) == 3
    assert addresses[:2] == ["kim-poe@example.com", "3+dev@users.noreply.github.com"]


def test_one_wrong_address_does_not_fold_two_people(workshop: Workshop) -> None:
    ann, bob = "Ann Lee <ann@corp.io>", "Bob Ray <bob@corp.io>"
    land(workshop, ann, ann, bob, bob, "Ann Lee <bob@corp.io>")  # on Bob's machine
    assert authors(workshop.path) == ["ann-lee", "ann-lee", "bob-ray", "bob-ray", "ann-lee"]
    assert [member["email"] for member in members(workshop.path, emails=True)] == [
        "ann@corp.io",
        "bob@corp.io",
    ]


def test_one_person_in_two_scripts_is_one_by_the_address(workshop: Workshop) -> None:
    land(workshop, "Wei Wang <wei@corp.io>", "王 伟 <wei@corp.io>")
    assert len(members(workshop.path)) == 1


@pytest.mark.parametrize("address", ["you@example.com", "root@localhost.localdomain", "team@corp.io"])
def test_address_that_many_share_is_nobodys(workshop: Workshop, address: str) -> None:
    people = ["Ann Lee", "Bob Ray", "Carl Ek", "Dee Fox", "Eve Poe"]
    land(workshop, *(f"{name} <{address}>" for name in people))
    found = members(workshop.path, emails=True)
    assert [member["display_name"] for member in found] == people
    assert address not in {member["email"] for member in found}


def test_mailmap_counts_for_co_authors_too(workshop: Workshop) -> None:
    (workshop.path / ".mailmap").write_text("Ann Lee <ann@corp.io> <a@home.net>\n")
    workshop.commit("One (#1)", "2025-03-02 10:00", "Ann Lee <ann@corp.io>")
    trailers = "Co-authored-by: annie <a@home.net>\nCo-authored-by: Odd <<a>\nCo-authored-by: nobody"
    workshop.commit(f"Two (#2)\n\n{trailers}", "2025-03-02 11:00", BOB)
    assert {"Ann Lee", "annie"} & {member["display_name"] for member in members(workshop.path)} == {"Ann Lee"}


def test_person_is_the_same_with_and_without_a_tool(workshop: Workshop) -> None:
    land(workshop, "Paul Poe <paul@corp.io>", "Paul Poe (aider) <paul@home.net>")
    assert authors(workshop.path) == ["paul-poe", "paul-poe"]


def test_members_are_the_people_of_the_window_and_their_co_authors(workshop: Workshop) -> None:
    workshop.commit("Long ago", "2024-01-01 10:00", "Old Hand <old@corp.io>")
    workshop.commit("Both ago", "2024-01-02 10:00", "Ann Lee <ann@corp.io>")
    workshop.commit(
        "Work (#1)\n\nCo-authored-by: Pia Day <pia@corp.io>\nCo-authored-by: renovate[bot] <r@renovate.io>\n"
        "Co-authored-by: Claude <noreply@anthropic.com>",
        "2025-03-02 10:00",
        "Ann Lee <ann@corp.io>",
    )
    ann, pia = members(workshop.path)
    assert (ann["display_name"], pia["display_name"]) == ("Ann Lee", "Pia Day")
    assert ann["created_at"].isoformat() == "2024-01-02T10:00:00"


def test_busiest_tenth_of_the_history_leads_and_weights_follow_the_commits(workshop: Workshop) -> None:
    others = [f"Person {letter} <{letter}@corp.io>" for letter in "abcdefghi"]
    land(workshop, *others, *["Ann Lee <ann@corp.io>"] * 6)
    read = source(workshop.path)
    roles = {member["display_name"]: member["role"] for member in read_all(read).members.values()}
    assert [name for name, role in roles.items() if role == "lead"] == ["Ann Lee"]
    assert set(roles.values()) == {"lead", "developer"}
    people = read.members()
    np.testing.assert_allclose(people.weight, [1 / 15] * 9 + [6 / 15])
    np.testing.assert_array_equal(people.key, text_keys(people.columns["github_id"].tolist()))
    assert ((people.adoption_threshold >= 0) & (people.adoption_threshold < 1)).all()


MESSAGE = (
    "Fix ann@corp.io (#1)\n\nReported by jo.do+x@mail.co.uk, see https://x.y/?u=jo%40mail.com\n\n"
    "Signed-off-by: Ann Lee <ann@corp.io>\n"
    "Co-authored-by: Bob Ray <1234+bobray@users.noreply.github.com>\n"
    "Co-authored-by: Jo <jo@laptop>\n"
    "Co-authored-by: Claude <noreply@anthropic.com>"
)
SECRETS = ("ann@corp.io", "jo.do+x@mail.co.uk", "jo%40mail.com", "jo@laptop")


def test_no_real_address_is_stored_anywhere(workshop: Workshop) -> None:
    workshop.commit(MESSAGE, "2025-03-02 10:00")
    contents = read_all(source(workshop.path))
    everything = repr(contents)
    assert not [secret for secret in SECRETS if secret in everything]
    assert contents.pull_requests[0]["title"] == "Fix redacted@example.com"
    kept = ("1234+bobray@users.noreply.github.com", "noreply@anthropic.com", "https://x.y/?u=")
    assert all(text in contents.commits[0]["message"] for text in kept)


def test_addresses_stay_where_they_are_asked_for(workshop: Workshop) -> None:
    workshop.commit(MESSAGE, "2025-03-02 10:00")
    contents = read_all(source(workshop.path, emails=True))
    assert contents.commits[0]["message"] == MESSAGE
    assert contents.members["ann-lee"]["email"] == "ann@corp.io"
    assert contents.members["bobray"]["email"] == "1234+bobray@users.noreply.github.com"


@pytest.mark.parametrize(
    "text",
    [
        "npm i @types/node@20.1.0",
        "git@github.com:corp/api",
        "@app.route('/')",
        "a @ b.com",
        "you@example.com",
        "x",
    ],
)
def test_what_is_no_ones_address_is_left_alone(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "text", ["x@y.io", "o'neil@corp.io", "märta.ö@företag.se", "mailto:a_b-c@d.e.fr", "<a@b>"]
)
def test_addresses_of_every_form_are_redacted(text: str) -> None:
    assert "redacted@example.com" in redact(f"see {text}.")
    assert text.removeprefix("mailto:").strip("<>") not in redact(f"see {text}.")
