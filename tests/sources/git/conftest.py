import shutil
from pathlib import Path

import pytest

from tests.support.repositories import BOB, Content, Workshop, content_of


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history in which every kind of change and every kind of text occurs."""
    made = Workshop(tmp_path_factory.mktemp("pattern") / "api")
    files: dict[str, str | bytes | None] = {
        "big.txt": "".join(f"line {number}\n" for number in range(60)),
        ".gitattributes": "*.txt diff=evil filter=evil\n",
        ".mailmap": "Ann Lee <ann@corp.io> <a@home.net>\n",
    }
    made.commit("Begin", "2025-02-01 09:00", files=files)
    more = "".join(f"more {number}\n" for number in range(30))
    made.commit(
        "One (#1)\n\nCo-authored-by: Pia Day <pia@corp.io>", "2025-03-02 10:00", files={"big.txt": more}
    )
    moved: dict[str, str | bytes | None] = {"big.txt": None, "größer.txt": more}
    made.commit("Two (#2)\n\nCo-authored-by= Eve Fox <eve@corp.io>", "2025-03-03 10:00", BOB, files=moved)
    made.branch("side")
    made.commit("Side", "2025-03-03 12:00", "annie <a@home.net>")
    made.merge("side", message="Merge pull request #3 from corp/side\n\nThree", at="2025-03-04 10:00")
    return made.path


@pytest.fixture
def workshop(pattern: Path, tmp_path: Path) -> Workshop:
    """A copy of the history, to be changed."""
    return Workshop(Path(shutil.copytree(pattern, tmp_path / "api")))


@pytest.fixture(scope="module")
def plain(pattern: Path) -> Content:
    """What is read of the history if nothing is set."""
    return content_of(pattern)
