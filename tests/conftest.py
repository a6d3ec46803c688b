"""What holds for all tests: those marked `browser` need Chromium, and whoever lacks it is told last."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from bot.loop import loop_factory
from bot.web_channel.app import make_app
from data import sqlite
from data.place import PostgresServer
from tests.browser.plain import NewBrowser, PlainBrowser
from tests.canaries import errors_are_heard, pytest_runtest_makereport, watched_for_secrets
from tests.chromium import SKIPPED, find_chromium
from tests.postgres_server import Server
from tests.school import MASTER, School, opened

__all__ = ["errors_are_heard", "pytest_runtest_makereport", "watched_for_secrets"]  # no secret in any log of any test


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as cores: browsers, servers and processes of their own are waited for."""
    return (os.cpu_count() or 2) * 3 // 2


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop on which the program runs."""
    return {"ours": loop_factory()}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_chromium():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="Chromium is missing"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Said here, not in the terminal summary, so that nothing is printed after it."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or reporter is None or find_chromium():
        return
    if any("browser" in report.keywords for report in reporter.stats.get("skipped", [])):
        reporter.write_line(SKIPPED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that a test has measured, shown at every run: what the word screen finds is no yes or no."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, [])]
    figures = {value for report in reports for name, value in report.user_properties if name == "figure"}
    for figure in sorted(map(str, figures)):
        terminalreporter.write_line(figure)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-transcripts", action="store_true", help="rewrite the transcripts as they play now")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `both_databases` run on SQLite and on PostgreSQL; those marked `files` look into SQLite's files."""
    marked = metafunc.definition.get_closest_marker
    if marked("both_databases") and not marked("files"):
        metafunc.fixturenames.append("database")
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session", autouse=True)
def _no_power_cuts() -> Iterator[None]:
    """Waiting for the disk took longer than the tests themselves; a kill loses nothing that was written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """This worker's PostgreSQL server."""
    server = Server()
    try:
        server.migrate_template(MASTER)
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Which kind of database `opened` uses in this test; every folder has one of its own."""
    if request.param == "sqlite":
        yield request.param
        return
    postgres: Server = request.getfixturevalue("postgres")
    made: dict[Path, PostgresServer] = {}

    def place_for(folder: Path) -> PostgresServer:
        if folder not in made:
            made[folder] = postgres.new()
        return made[folder]

    monkeypatch.setattr("tests.school.elsewhere", place_for)
    yield request.param
    for place in made.values():
        postgres.drop(place)


@pytest.fixture(autouse=True)
def _database_of_the_test(request: pytest.FixtureRequest) -> None:
    """Also where the test does not ask for `database` itself."""
    if "database" in getattr(getattr(request.node, "callspec", None), "params", {}):
        request.getfixturevalue("database")


@pytest.fixture
async def school(tmp_path: Path) -> AsyncIterator[School]:
    async with opened(tmp_path) as running:
        yield running


@pytest.fixture
async def browsers(school: School) -> AsyncIterator[NewBrowser]:
    """As many browsers without JavaScript as a test asks for, on the web channel of this school."""
    app = make_app(school.dialogue, school.db, school.house, school.letters, school.clock)
    opened: list[PlainBrowser] = []

    def new() -> PlainBrowser:
        opened.append(PlainBrowser(app))
        return opened[-1]

    yield new
    for browser in opened:
        await browser.close()
