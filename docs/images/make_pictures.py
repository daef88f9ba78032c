"""Make the pictures of the documentation: ``python docs/images/make_pictures.py``.

Runs the tutorial's commands and keeps what they print as SVG; the page of charts is photographed by Chromium,
which must be on PATH with its driver.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

FOLDER = Path(__file__).parent

#: Columns of the terminal, and the most lines of output that a picture has.
WIDTH, MAX_LINES = 118, 26

WINDOW = ("--days", "90", "--until", "2026-03-18")

#: Picture -> the command in it.
COMMANDS = {
    "seed": ("seed", "polar", *WINDOW),
    "verify": ("verify", "polar"),
    "report": ("report", "polar"),
}

#: Pixels of the photograph; its page begins with the figures and the first charts.
SCREEN = (1280, 960)

#: Rich has its SVG load a font from another host; a reader's own monospaced font does as well.
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            output = run(folder, *arguments)
            (FOLDER / f"{name}.svg").write_text(terminal(f"tformance-seed {' '.join(arguments)}", output))
        run(folder, "seed", "--scenario", "ai-success", *WINDOW[2:])
        run(folder, "report", "--html", "page.html")
        photograph(Path(folder) / "page.html", FOLDER / "report.png")


def run(folder: str, *arguments: str) -> str:
    """Return what a command prints."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.run(
        [sys.executable, "-m", "tformance_seed", *arguments],
        cwd=folder,
        env={**kept, "COLUMNS": str(WIDTH)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def terminal(command: str, output: str) -> str:
    """Return an SVG of a terminal in which a command was typed."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    lines = output.splitlines()
    shown = lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], "..."]
    console.print(Text(f"$ {command}", style="bold"))
    for line in shown:
        console.print(Text(line), no_wrap=True, crop=True)
    return FONT_FACE.sub("", console.export_svg(title="tformance-seed", unique_id="terminal"))


def photograph(page: Path, picture: Path) -> None:
    """Write a PNG of a page's beginning."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={SCREEN[0]},{SCREEN[1]}")
    browser = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.get(page.absolute().as_uri())
        browser.implicitly_wait(10)
        browser.find_element("css selector", "svg, canvas")
        browser.save_screenshot(str(picture))
    finally:
        browser.quit()


if __name__ == "__main__":
    main()
