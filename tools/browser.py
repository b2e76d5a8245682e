"""Chromium without a window, as journeys, pictures and figures of the desk use it. Needs what `make desk` installs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
WIDE, NARROW = (1280, 800), (390, 844)


def program() -> str | None:
    """Return the path of this machine's Chromium, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def launched(playwright: Playwright) -> Browser:
    """Start Chromium; raises FileNotFoundError where there is none."""
    found = program()
    if found is None:
        raise FileNotFoundError("no Chromium on this machine: install Debian's chromium")
    return playwright.chromium.launch(executable_path=found, args=list(FLAGS))
