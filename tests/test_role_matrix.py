"""Every chat command, page and command-line verb is declared with its roles and tried by every role, by generation."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import combinations
from pathlib import Path

import pytest
import typer.main
from starlette.routing import Mount, Route

from bot.__main__ import app as command_line
from bot.telegram_channel.webhook import PATH
from bot.web_channel.access import ACCESS
from bot.web_channel.app import make_app, routes
from conversations.commands import COMMANDS, FAMILIES, commands_for, menu_for
from conversations.roles import FAMILY_ROLES, MAY, ROLES, may, may_read
from data.queue import add_item
from tests.browser.plain import PlainBrowser
from tests.school import School
from tests.test_web_channel import signed_in

PAGE = Path(__file__).parent.parent / "docs" / "roles.md"
READ = ("POST", "/queue/{id}")  # the button after which words are shown
REFUSAL = "This is for staff. /help shows what you can do."
VERBS = {  # the command line belongs to whoever has the machine and the key: the admin, and nobody by chat
    "demo", "setup", "run", "doctor", "invite", "form", "survey", "send", "close", "export", "backup", "restore", "try",
    "audit", "calendar", "documents", "event", "forget", "key", "rollback", "move", "sar",
}  # fmt: skip


def declared() -> set[tuple[str, str]]:
    found = {("POST", PATH)}  # in front of all pages
    for route in routes():
        if isinstance(route, Mount):
            found.add(("GET", route.path))
        elif isinstance(route, Route):
            found |= {(method, route.path) for method in route.methods or () if method != "HEAD"}
    return found


def test_every_page_is_declared_with_who_may_open_it() -> None:
    assert declared() == set(ACCESS)
    assert set(ACCESS.values()) - {"anyone", "joined"} <= set(MAY)


def test_every_verb_is_known_to_belong_to_the_operator() -> None:
    assert set(typer.main.get_command(command_line).commands) == VERBS  # type: ignore[attr-defined]


def test_every_action_names_roles_that_exist() -> None:
    assert all(MAY[action] <= set(ROLES) for action in MAY)


@pytest.mark.parametrize("role", ROLES)
async def test_every_command_by_every_role(school: School, role: str) -> None:
    """Refused exactly where the table says so, with the one sentence."""
    talk = school.on(await school.person(role))
    for command in COMMANDS:
        await talk.types(f"/{command}")
        assert (talk.messages[0].text == REFUSAL) == (not may({role}, command)), command
        await talk.types("cancel")


def test_every_menu_is_short_and_leads_to_all_the_rest() -> None:
    """At most 8 commands, for any two roles of one person; /menu among them, and nothing they may not."""
    for roles in combinations(ROLES, 2):
        menu = menu_for(roles)
        assert len(menu) <= 8
        assert "menu" in menu
        assert set(menu) <= set(commands_for(roles))


@pytest.mark.parametrize("role", FAMILY_ROLES)
def test_families_see_at_a_glance_what_they_need(role: str) -> None:
    """What they can do, a person to ask, the way out, their rights, and the way to all the rest."""
    theirs = [name for name in FAMILIES if may({role}, name)]
    assert menu_for([role])[: len(theirs) + 4] == [*theirs, "needhelp", "stop", "privacy", "menu"]


@pytest.fixture
async def browser(school: School) -> AsyncIterator[PlainBrowser]:
    made = PlainBrowser(make_app(school.dialogue, school.db, school.house, school.letters, school.clock))
    yield made
    await made.close()


@pytest.mark.parametrize("role", ROLES)
async def test_every_page_by_every_role(school: School, browser: PlainBrowser, role: str) -> None:
    """A page of an action opens for those who may, and says the one sentence to everybody else."""
    async with school.db.transaction() as tx:
        item = await add_item(tx, "flagged", school.clock.now, "words only readers see")
    await signed_in(school, browser, await school.person(role))
    csrf = browser.page.form_with("Menu")[0].fields["csrf"]
    for method, path in sorted(ACCESS):
        address = path.replace("{id}", item).replace("{number:int}", "0")
        address = re.sub(r"\{(code|token|act|sheet)\}", "x", address)
        answer = await browser.http.request(method, address, data={"csrf": csrf} if method == "POST" else None)
        action = ACCESS[method, path]
        allowed = action in ("anyone", "joined") or may({role}, action)
        assert answer.status_code < 500
        if action not in ("anyone", "joined") and answer.status_code != 404:
            assert (REFUSAL in answer.text) != allowed, (method, path)
        shown = "words only readers see" in answer.text
        assert may_read({role}, None, ()) if shown else (method, path) != READ or not may_read({role}, None, ())


async def test_a_stranger_opens_nothing_that_needs_joining(school: School, browser: PlainBrowser) -> None:
    async with school.db.transaction() as tx:
        item = await add_item(tx, "flagged", school.clock.now, "words only readers see")
    for method, path in sorted(ACCESS):
        if ACCESS[method, path] == "anyone":
            continue
        answer = await browser.http.request(method, path.replace("{id}", item).replace("{number:int}", "0"))
        assert "words only readers see" not in answer.text
        assert answer.status_code in (200, 303, 403, 404)


# --- the page -----------------------------------------------------------------------------------------------------


def as_page() -> str:
    lines = [
        "# Who may do what",
        "",
        "Made by a test from the tables that the program asks (`tests/test_role_matrix.py`).",
    ]
    lines += ["Refusal is one sentence for all: “This is for staff. /help shows what you can do.”", ""]
    lines += ["## In a chat", "", f"| | {' | '.join(ROLES)} |", f"|---|{'---|' * len(ROLES)}"]
    lines += [f"| `/{c}` | {' | '.join('yes' if may({r}, c) else '' for r in ROLES)} |" for c in COMMANDS]
    lines += ["", "## On the web", "", "| page | for whom |", "|---|---|"]
    lines += [f"| {method} `{path}` | {_whom(action)} |" for (method, path), action in sorted(ACCESS.items())]
    lines += ["", "## On the command line", ""]
    lines += [f"Whoever has the machine and the key: {', '.join(f'`{v}`' for v in sorted(VERBS))}.", ""]
    return "\n".join(lines)


def _whom(action: str) -> str:
    plain = {"anyone": "anybody", "joined": "whoever joined in this browser, their own"}
    return plain.get(action) or ", ".join(r for r in ROLES if may({r}, action))


def test_the_page_in_the_docs_is_true(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-transcripts"):
        PAGE.write_text(as_page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == as_page()
