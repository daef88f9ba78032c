"""A small organisation with two repositories, in which most things occur."""

import datetime

from tests.support.github.world import ANN, BOB, CODERABBIT, DEPENDABOT, EVE, Row, World

FIRST = datetime.date(2026, 1, 1)
PULL_REQUESTS = {"acme/api": 40, "acme/web": 10}
AUTHORS = (ANN, BOB, DEPENDABOT)
TITLES = ("Change {0}", "ABC-{0}: change {0}", "Revert change {0}", "Hotfix {0}")


def acme() -> World:
    """``PULL_REQUESTS``, each opened a day after the last one; nine in ten end a day later."""
    world = World()
    for repository, count in PULL_REQUESTS.items():
        for number in range(1, count + 1):
            _land(world, repository, number)
    return world


def _land(world: World, repository: str, number: int) -> Row:
    day = FIRST + datetime.timedelta(days=number)
    merged = f"{day + datetime.timedelta(days=1)} 12:00"
    author, reviewer = AUTHORS[number % 3], (BOB, ANN, ANN)[number % 3]
    ending = {} if number % 10 == 0 else {"closed": merged} if number % 10 == 5 else {"merged": merged}
    made = world.pull_request(
        repository,
        number,
        f"{day} 10:00",
        author=author,
        title=TITLES[number % 4].format(number),
        labels=[{"name": "bug"}] if number % 3 == 0 else [],
        **ending,
    )
    (head,) = [item["commit"] for item in made["commits"]]
    made["reviews"] += [
        world.review(CODERABBIT, f"{day} 10:30", "COMMENTED", "Two suggestions."),
        world.review(
            reviewer,
            f"{day} 15:00",
            "APPROVED" if ending else "CHANGES_REQUESTED",
            "Fine",
            world.comment(reviewer, f"{day} 15:00", path="src/part.py"),
        ),
    ]
    made["comments"].append(world.comment(EVE, f"{day} 16:00", "When is this out?"))
    world.checks(
        head, world.check_run("tests", f"{day} 10:05"), world.check_run("lint", f"{day} 10:05", "FAILURE")
    )
    if made["mergeCommit"] and number % 4 == 1:
        world.deployment(made["mergeCommit"], f"{day + datetime.timedelta(days=1)} 13:00")
    return made
