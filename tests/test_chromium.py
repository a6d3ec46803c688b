"""The browser tests find their browser, or say that they did not."""

import sys
from pathlib import Path

import pytest

from tests.chromium import SKIPPED, find_chromium

pytest_plugins = ["pytester"]


def test_chosen_browser_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_CHROMIUM", sys.executable)
    assert find_chromium() == sys.executable


def test_chosen_browser_that_is_missing_is_not_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUSAID_CHROMIUM", "/nowhere/chromium")
    assert find_chromium() is None


def test_skipped_browser_tests_are_named_on_the_last_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOUSAID_CHROMIUM", "/nowhere/chromium")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeini("[pytest]\nmarkers = browser")
    pytester.makepyfile("import pytest\n@pytest.mark.browser\ndef test_page(): pass")
    ran = pytester.runpytest_subprocess("-p", "tests.conftest", "-n", "1")
    assert ran.outlines[-1] == SKIPPED
