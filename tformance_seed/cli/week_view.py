"""Show a week of pull requests as a list and as JSON."""

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tformance_seed.cli.blocks import View, counted
from tformance_seed.cli.objects import organisations as objects

if TYPE_CHECKING:
    from tformance_seed.commands.week import ShownPullRequest

#: Number of files that are listed of a pull request.
SHOWN_FILES = 4

#: What stands before the name of a file, by its status.
MARKS = {"added": "A ", "removed": "D ", "renamed": "R ", "modified": "M "}


def week(organisation: str, monday: datetime.date, shown: "Sequence[ShownPullRequest]") -> View:
    """List the pull requests of a week: each with its title, its size, and the first of its files."""
    lines = [f"{organisation}, week of {monday}: {len(shown)} pull requests"]
    for each in shown:
        lines.append("")
        lines.append(
            f"{each.ended_at:%a %H:%M} {each.repository}#{each.number} {each.state} by {each.author}"
        )
        lines.append(f"  {each.title}")
        lines.append(f"  +{each.additions:,} -{each.deletions:,} in {counted(len(each.files), 'file')}")
        lines += [
            f"    {MARKS[file.status]}{file.filename} +{file.additions:,} -{file.deletions:,}"
            for file in each.files[:SHOWN_FILES]
        ]
        if len(each.files) > SHOWN_FILES:
            lines.append(f"    and {counted(len(each.files) - SHOWN_FILES, 'more file')}")
    return View(objects.week(organisation, monday, shown), lines)
