"""The demo: made once, started again without harm, made anew when over, stopped cleanly, killed without harm."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bot import demo
from bot.demo_school import make_school
from data.answers import count_answers
from data.database import DatabaseBusy
from data.events import coming_occasions, occasions_to_remind
from data.lock import FileLock
from data.outbox import on_page
from data.people import find_person, people_with_role
from data.queue import waiting_items
from data.runs import count_runs, run_of
from data.surveys import all_surveys, surveys_to_nudge

ROOT = Path(__file__).parent.parent
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded")
    asyncio.run(make_school(folder, NOW))
    return folder


@pytest.fixture
def folder(seeded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seeded, tmp_path / "var" / "demo"))


async def test_school_has_what_the_page_promises(folder: Path) -> None:
    async with demo.opened(folder) as (db, people), db.reading() as tx:
        surveys = {s.id: s for s in await all_surveys(tx)}
        assert len(await people_with_role(tx, "parent")) == 40
        assert len(await people_with_role(tx, "pupil")) >= 12
        assert all([await people_with_role(tx, role) for role in ("senco", "dsl", "deputy", "head", "chair")])
        assert {i: s.state for i, s in surveys.items()} == {
            "parent-send-provision-1": "closed",
            "drop-in-feedback-1": "closed",
            "parent-send-provision-2": "open",
            "pupil-belong-1": "open",
        }
        assert await count_answers(tx, "parent-send-provision-1")
        started, finished = await count_runs(tx, surveys["parent-send-provision-2"])
        assert (surveys["parent-send-provision-2"].asked, finished) == (40, 14)
        assert started > finished
        pupil = await find_person(tx, people["pupil"])
        assert pupil
        assert pupil.label == "A.B."
        assert await run_of(tx, people["pupil"], "pupil-belong-1")
        assert {i.kind for i in await waiting_items(tx)} == {"words", "talk"}
        letters = {name: [(x.kind, x.ref) for x in await on_page(tx, people[name])] for name in people}
    assert letters["parent"] == [("invitation", "parent-send-provision-2")]
    assert letters["pupil"] == [("invitation", "pupil-belong-1")]
    assert letters["senco"] == []


@pytest.mark.slow
@pytest.mark.parametrize("day", [2, 4, 6])
async def test_the_questions_come_first_whatever_day_it_is(tmp_path: Path, day: int) -> None:
    """No reminder of a drop-in, an event or the questions is due on the day on which somebody first looks."""
    late = datetime(2026, 11, 16 + day, 22, 0, tzinfo=UTC)
    await make_school(tmp_path, late - timedelta(hours=15))
    async with demo.opened(tmp_path) as (db, _), db.reading() as tx:
        assert await coming_occasions(tx, None, late)
        assert await occasions_to_remind(tx, late) == []
        assert await surveys_to_nudge(tx, late) == []


async def test_second_start_keeps_everything(folder: Path) -> None:
    key = (folder / "key").read_text()
    await demo.ensure_school(folder, NOW + timedelta(days=1))
    assert (folder / "key").read_text() == key


async def test_school_is_made_anew_when_its_questions_are_over(folder: Path) -> None:
    key = (folder / "key").read_text()
    await demo.ensure_school(folder, NOW + timedelta(days=11))
    assert (folder / "key").read_text() != key
    assert sorted(p.name for p in folder.parent.iterdir()) == ["demo", "demo.lock"]


@pytest.mark.parametrize("missing", ["key", "yousaid.db"])
async def test_half_a_school_is_made_anew(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    (folder.parent / "demo-new-killed").mkdir()
    await demo.ensure_school(folder, NOW)
    assert await demo.usable(folder, NOW)
    assert not (folder.parent / "demo-new-killed").exists()


async def test_two_starts_at_once_do_not_make_it_twice(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "demo")
    assert await lock.acquire()
    with pytest.raises(DatabaseBusy):
        await demo.ensure_school(tmp_path / "demo", NOW)
    await lock.release()


def test_browser_is_only_opened_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not demo.has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert demo.has_browser()


# --- as a program -------------------------------------------------------------------------------------------------


async def started(folder: Path) -> asyncio.subprocess.Process:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("YOUSAID_")} | {"PYTHONPATH": str(ROOT)}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--no-browser", "--port", "0"),
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def address_of(program: asyncio.subprocess.Process) -> str:
    assert program.stdout
    line = (await asyncio.wait_for(program.stdout.readline(), 30)).decode()
    found = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert found, line
    return found[0]


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_three_phones_and_stops_cleanly(tmp_path: Path, sign: signal.Signals) -> None:
    program = await started(tmp_path)
    address = await address_of(program)
    async with httpx.AsyncClient(base_url=address, follow_redirects=True) as http:
        for path in ("", "parent/", "pupil/", "senco/"):
            answer = await http.get(path)
            assert answer.status_code == 200
            assert "server" not in answer.headers
        program.send_signal(sign)
        _, errors = await asyncio.wait_for(program.communicate(), 15)
    assert (program.returncode, errors.decode()) == (0, "")


def wait_for_half_a_school(folder: Path) -> None:
    until = time.monotonic() + 30
    while not list(folder.glob("var/demo-new-*/yousaid.db")) and time.monotonic() < until:
        time.sleep(0.02)


@pytest.mark.slow
async def test_killed_while_it_is_made_it_starts_again(tmp_path: Path) -> None:
    program = await started(tmp_path)
    await asyncio.to_thread(wait_for_half_a_school, tmp_path)
    program.kill()
    await program.communicate()
    assert not (tmp_path / "var" / "demo").exists()
    again = await started(tmp_path)
    await address_of(again)
    again.terminate()
    _, errors = await asyncio.wait_for(again.communicate(), 15)
    assert (again.returncode, errors.decode()) == (0, "")
    assert sorted(p.name for p in (tmp_path / "var").iterdir()) == ["demo", "demo.lock"]


@pytest.mark.slow
async def test_port_in_use_is_one_line(tmp_path: Path) -> None:
    with demo.listening(0) as sock:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "demo", "--no-browser", "--port", str(sock.getsockname()[1])),
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await asyncio.wait_for(program.communicate(), 30)
    assert program.returncode != 0
    assert len(errors.decode().splitlines()) == 1
    assert not (tmp_path / "var").exists()
