"""Make the pictures of the documentation: ``python docs/images/make_pictures.py``.

Runs the tutorial's commands and keeps what they print as SVG; the page of charts is photographed by Chromium,
which must be on PATH with its driver.
"""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from rich.console import Console
from rich.text import Text
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

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

#: Picture of the page of charts -> width and height in pixels, theme, and address.
SCREENS = {
    "report": (1280, 960, "light", ""),
    "report-dark": (1280, 960, "dark", "#org=ai-success&from=2026-02-01"),
    "report-phone": (390, 844, "light", "#org=ai-success"),
    "report-organisation": (1280, 960, "light", "#org=ai-success&view=organisations"),
}

#: Picture of the page's first sheet of paper, and its pixels a point.
SHEET, SCALE = "report-print", 1.25

#: Rich has its SVG load a font from another host; a reader's own monospaced font does as well.
FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            output = run(folder, *arguments)
            (FOLDER / f"{name}.svg").write_text(terminal(f"tformance-seed {' '.join(arguments)}", output))
        run(folder, "seed", "--scenario", "ai-success", *WINDOW[2:])
        run(folder, "report", "--html", "page.html")
        photograph(Path(folder) / "page.html")


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


def photograph(page: Path) -> None:
    """Write a PNG of each of ``SCREENS``, and of the first sheet of paper."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        for name, (width, height, theme, address) in SCREENS.items():
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            features = [{"name": "prefers-color-scheme", "value": theme}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            browser.get("about:blank")
            browser.get(page.absolute().as_uri() + address)
            WebDriverWait(browser, 60).until(
                lambda _: browser.execute_script("return 'drawn' in document.documentElement.dataset")
            )
            browser.save_screenshot(str(FOLDER / f"{name}.png"))
        paper = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    finally:
        browser.quit()
    first = pypdfium2.PdfDocument(base64.b64decode(paper["data"]))[0]
    first.render(scale=SCALE).to_pil().save(FOLDER / f"{SHEET}.png", optimize=True)


if __name__ == "__main__":
    main()
