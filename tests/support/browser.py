"""The page of the report in a real browser, read as a person reads it."""

import shutil
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

#: Width and height of a screen, in pixels.
SCREENS = {"desktop": (1440, 900), "laptop": (1024, 768), "tablet": (768, 1024), "phone": (360, 740)}

#: Script that returns each visible text with its contrast (WCAG 2.2) to its background.
CONTRAST = """
const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = (colour) => {
  const [r, g, b] = channels(colour).map((channel) => linear(channel / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const colour = getComputedStyle(node).backgroundColor;
    if ((channels(colour)[3] ?? 1) === 1) return colour;
  }
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const text = walker.currentNode.data.trim();
  const node = walker.currentNode.parentElement;
  const style = getComputedStyle(node);
  if (!text || !node.getBoundingClientRect().width || style.visibility === "hidden") continue;
  if (node.closest("script, style, .unseen, [hidden]")) continue;
  const colour = node instanceof SVGElement ? style.fill : style.color;
  const [dark, bright] = [light(colour), light(behind(node))].sort((a, b) => a - b);
  found.push([(bright + 0.05) / (dark + 0.05), text]);
}
return found;
"""


def start_browser() -> Chrome:
    """Start Chromium without a window; its logs keep requests and messages of pages."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium, "no chromium on PATH"
    assert driver, "no chromedriver on PATH"
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Chrome(options=options, service=Service(driver))


class Page:
    """A page on a screen of some size, in the theme that the system prefers."""

    def __init__(
        self,
        browser: Chrome,
        path: Path,
        screen: str = "desktop",
        theme: str = "light",
        address: str = "",
    ) -> None:
        width, height = SCREENS[screen]
        self.browser = browser
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        feature = {"name": "prefers-color-scheme", "value": theme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        browser.get("about:blank")  # or another address of the same page would not load it
        browser.get(path.as_uri() + address)
        self._wait_for("ready")

    def settle(self) -> None:
        """Wait until all charts are drawn, and not only those on the screen."""
        self._wait_for("drawn")

    def _wait_for(self, state: str) -> None:
        script = "return arguments[0] in document.documentElement.dataset"
        WebDriverWait(self.browser, 60).until(lambda _: self.run(script, state))

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def tab_to(self, name: str) -> None:
        """Press the tabulator until an element has the focus."""
        for _ in range(50):
            if self.browser.switch_to.active_element.get_attribute("id") == name:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"the keyboard does not reach {name}")

    def choose(self, name: str, value: str) -> None:
        """Choose an option, or a date such as 2026-03-09, and leave the field."""
        script = """
            const [field, value] = [document.getElementById(arguments[0]), arguments[1]];
            field.value = [...field.options ?? []].find(({ text }) => text === value)?.value ?? value;
            field.dispatchEvent(new Event("change"));
        """
        self.run(script, name, value)

    def open(self, view: str) -> None:
        self.run("scrollTo(0, 0)")
        self.find(f"nav [data-view={view}]").click()

    def charts(self) -> list[str]:
        self.settle()
        return [card.get_attribute("id") for card in self.all("figure:has(.drawing)")]

    def table(self, chart: str) -> list[dict[str, str]]:
        """Return the table behind a chart, as text."""
        script = """
            const rows = [...document.querySelectorAll(`#${arguments[0]} tr`)];
            return rows.map((row) => [...row.cells].map((cell) => cell.textContent));
        """
        self.settle()
        head, *rows = self.run(script, chart)
        return [dict(zip(head, row, strict=True)) for row in rows]

    def drawn(self, chart: str) -> list[dict[str, str]]:
        """Return the marks of a chart as a screen reader announces them: field -> value."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].map((m) => m.getAttribute('aria-label'))"
        )
        self.settle()
        labels = self.run(script, f"#{chart} .mark-rect path[aria-label]")
        return [dict(part.split(": ", 1) for part in label.split("; ")) for label in labels]

    def cut_off(self) -> list[str]:
        """Return words of charts that do not lie completely within their chart."""
        self.settle()
        script = """
            return [...document.querySelectorAll(".drawing text")].filter((text) => {
              const inner = text.getBoundingClientRect();
              const outer = text.closest("svg").getBoundingClientRect();
              const within = inner.left >= outer.left - 1 && inner.right <= outer.right + 1
                && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
              return getComputedStyle(text).opacity !== "0" && !within;
            }).map((text) => text.textContent);
        """
        return self.run(script)

    def figure(self, name: str) -> list[str]:
        """Return a figure of the headline and the small print below it."""
        return self.find(f"[data-figure={name}]").text.split("\n")
