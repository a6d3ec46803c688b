"""Where the browser tests find Chromium, and what is said when there is none."""

import os
import shutil

SKIPPED = (
    "Browser tests were skipped because Chromium is missing. Install it (Debian, Ubuntu: "
    "`sudo apt-get install chromium`) or set YOUSAID_CHROMIUM to its path, and run again."
)


def find_chromium() -> str | None:
    """The browser's path; YOUSAID_CHROMIUM alone counts where it is set, so a typing error is noticed."""
    chosen = os.environ.get("YOUSAID_CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if (path := shutil.which(name))), None)
