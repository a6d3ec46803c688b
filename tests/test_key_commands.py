"""`yousaid key`: the recovery sheet, and changing the key in spite of kills (FAIL-17); variants of YOUSAID_KEY."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.house import read_vault
from bot.logs import Redactor
from bot.papers import recovery
from bot.recovery_sheet import groups_of, plain, read_sheet, square_text
from bot.settings import read_settings
from data.audit import entries
from data.audit_check import check_log
from data.database import Tx
from data.key_ring import KeyFile, earlier_keys, read_ring, write_ring
from data.sealed_tables import left_behind
from data.tombstone_mirror import read_mirror
from data.tombstones import PERSON, bury
from data.vault import KeyProblem, Vault, new_master_key, read_master_key
from tests.command_line import CommandLine, command_line_in
from tests.pdf_words import words_of
from tests.school import MASTER, opened
from tests.simulated_parents import BotProcess, environment
from tests.telegram_server import TelegramServer
from tests.test_doctor import found
from tests.test_kill import counted, free_port, invited

KEY = bytes(range(7, 39))


@pytest.fixture
def yousaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    running = command_line_in(tmp_path, monkeypatch)
    running.set_up()
    return running


def ring(yousaid: CommandLine) -> tuple[bytes, ...]:
    return KeyFile(yousaid.key_file).read()


# --- the sheet ----------------------------------------------------------------------------------------------------


@given(st.binary(min_size=32, max_size=32))
def test_a_sheet_is_typed_back_however_it_is_typed(key: bytes) -> None:
    groups = groups_of(key)
    assert [len(g) for g in groups] == [4] * 14
    assert not set("".join(groups)) & set("ILOU")
    spaced, looked_alike = " ".join(groups).lower(), "-".join(groups).replace("0", "O").replace("1", "l")
    for typed in (spaced, looked_alike, "".join(groups), "\n".join(groups), square_text(key)):
        assert read_sheet(typed) == key


@given(st.binary(min_size=32, max_size=32), st.integers(0, 55), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_letter_is_noticed(key: bytes, place: int, letter: str) -> None:
    letters = "".join(groups_of(key))
    typed = letters[:place] + letter + letters[place + 1 :]
    if typed == letters:
        return
    with pytest.raises(KeyProblem, match="a letter is wrong"):
        read_sheet(typed)


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "0 letters"), ("ABCD " * 13, "52 letters"), ("UUUU " * 14, "There is no U"), ("ABCD " * 14, "is wrong")],
)
def test_what_is_no_sheet_is_said_in_one_line(typed: str, said: str) -> None:
    with pytest.raises(KeyProblem, match=said):
        read_sheet(typed)


def test_groups_that_changed_places_are_noticed() -> None:
    groups = groups_of(KEY)
    groups[2], groups[3] = groups[3], groups[2]
    with pytest.raises(KeyProblem, match="a letter is wrong"):
        read_sheet(" ".join(groups))


def test_an_older_sheet_is_read_too() -> None:
    """Before, setup printed the 44 letters of base64 in groups of four."""
    text = new_master_key()
    assert read_sheet(" ".join(text[i : i + 4] for i in range(0, 44, 4))) == read_master_key(text)


def test_setup_prints_the_sheet_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yousaid = command_line_in(tmp_path, monkeypatch)
    first, again = yousaid.set_up(), yousaid.set_up()
    assert read_sheet(sheet_in(first.out)) == ring(yousaid)[0]
    assert "RECOVERY SHEET" not in again.out


def sheet_in(out: str) -> str:
    """The groups of a sheet that was printed as text."""
    return " ".join(line.partition(":")[2] for line in out.splitlines() if line.startswith("  Key "))


def test_the_sheet_as_pdf_says_what_it_is_for(yousaid: CommandLine) -> None:
    ran = yousaid.done("key", "sheet", "--out", "sheet.pdf")
    assert "delete the file" in ran.out
    page = Path("sheet.pdf")
    assert page.stat().st_mode & 0o777 == 0o600
    words = words_of(page.read_bytes())
    for part in ("Elmfield Primary", "Lock it away", "yousaid key restore", "open box", *groups_of(ring(yousaid)[0])):
        assert part in words
    assert "there already" in yousaid("key", "sheet", "--out", "sheet.pdf").refused()
    assert "no folder" in yousaid("key", "sheet", "--out", "nowhere/sheet.pdf").refused()

    async def noted(tx: Tx) -> int:
        return len(await entries(tx, tx.vault.id.hex(), "key-sheet"))

    assert yousaid.change(noted) == 1


def test_the_square_on_the_sheet_holds_the_same_key(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        recovery, "square", lambda text: drawn.append(text) or "<svg xmlns='http://www.w3.org/2000/svg'/>"
    )
    yousaid.done("key", "sheet", "--out", "sheet.pdf")
    assert [read_sheet(text) for text in drawn] == [ring(yousaid)[0]]
    assert re.fullmatch(r"[0-9A-Z $%*+\-./:]+", drawn[0])  # letters for which a square has its smallest form


def test_check_asks_for_one_group(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = groups_of(ring(yousaid)[0])
    monkeypatch.setattr("secrets.randbelow", lambda n: 4)
    ran = yousaid.done("key", "check", typed=f"{groups[4].lower()}\n")
    assert "group 5" in ran.out
    assert "That is right" in ran.out
    assert "That is right" in yousaid.done("key", "check", typed=f"wrong\n{groups[4]}\n").out
    assert "does not belong" in yousaid("key", "check", typed="a\nb\nc\n").refused()


# --- a sheet typed back -------------------------------------------------------------------------------------------


def test_a_lost_key_file_comes_back_from_its_sheet(yousaid: CommandLine) -> None:
    key = ring(yousaid)[0]
    yousaid.join(3)
    yousaid.key_file.unlink()
    assert "There is no key" in yousaid("survey", "list").refused()
    groups = groups_of(key)
    ran = yousaid.done("key", "restore", typed=f"{' '.join(groups[:7]).lower()}\n{' '.join(groups[7:])}\n")
    assert "The key is in" in ran.out
    assert ring(yousaid) == (key,)
    assert yousaid.key_file.stat().st_mode & 0o777 == 0o600
    yousaid.done("invite", "--role", "parent", "--group", "SEND parents")
    assert "already" in yousaid.done("key", "restore", typed=square_text(key) + "\n").out


def test_restore_refuses_what_would_do_harm(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ring(yousaid)[0]
    other = square_text(KEY) + "\n"
    assert "another key than the database" in yousaid("key", "restore", typed=other).refused()
    yousaid.database.rename(yousaid.folder / "elsewhere.db")
    assert "Move that file away first" in yousaid("key", "restore", typed=other).refused()
    assert ring(yousaid) == (key,)
    assert "a letter is wrong" in yousaid("key", "restore", typed=other.replace("0W40", "0W41")).refused()
    assert "0 letters" in yousaid("key", "restore", typed="\n").refused()
    yousaid.key_file.unlink()
    yousaid.done("key", "restore", typed=other)
    assert ring(yousaid) == (KEY,)
    monkeypatch.setenv("YOUSAID_KEY", new_master_key())
    assert "YOUSAID_KEY is set" in yousaid("key", "restore", typed=other).refused()


# --- ring files and YOUSAID_KEY -----------------------------------------------------------------------------------


def test_rings_are_read_as_they_are_written() -> None:
    one, two = new_master_key(), new_master_key()
    keys = read_master_key(one), read_master_key(two)
    for text in (f"{one}\n{two}\n", f"{one} {two}", f"{one},{two}", f"{one}, {two}", f"\n{one}\n\n{two}"):
        assert read_ring(text) == keys
    assert read_ring(" ".join(one[i : i + 4] for i in range(0, 44, 4))) == keys[:1]
    assert read_ring(one[:20] + "\n" + one[20:]) == keys[:1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("KEY\n", "The key is damaged"),
        ("{one}\n{two:.20}\n", "Key 2 of 2 is damaged"),
        ("{one:.43}\n{two}\n", "Key 1 of 2 is damaged"),
        ("{one}{two}", "damaged"),
    ],
)
def test_a_partial_ring_is_refused_in_one_line(yousaid: CommandLine, text: str, said: str) -> None:
    yousaid.key_file.write_text(text.format(one=new_master_key(), two=new_master_key()))
    for command in (("survey", "list"), ("key", "rotate"), ("key", "check")):
        assert said in yousaid(*command).refused()


def test_the_key_from_a_secret_store_is_changed_there(yousaid: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """YOUSAID_KEY has no file: NEW OLD, start again, `rotate` seals anew, then NEW."""
    old = yousaid.key_file.read_text().strip()
    yousaid.key_file.unlink()
    monkeypatch.setenv("YOUSAID_KEY", old)
    yousaid.join(3)
    assert "yousaid key new" in yousaid("key", "rotate").refused()
    new = yousaid.done("key", "new").out.strip()
    monkeypatch.setenv("YOUSAID_KEY", f"{new} {old}")
    assert "Take the old key out" in yousaid.done("key", "rotate").out
    assert not list(yousaid.key_file.parent.glob("key*"))
    monkeypatch.setenv("YOUSAID_KEY", new)
    assert yousaid.change(nothing_left)
    monkeypatch.setenv("YOUSAID_KEY", f"{old},{new}")  # the wrong way round: works, and rotate would turn it back
    yousaid.done("invite", "--role", "parent", "--group", "SEND parents")


async def nothing_left(tx: Tx) -> bool:
    return await left_behind(tx) == [] and not (await check_log(tx)).problems


# --- changing the key ---------------------------------------------------------------------------------------------


def test_rotate_prints_the_new_sheet_and_keeps_the_old_key(yousaid: CommandLine) -> None:
    old = ring(yousaid)[0]
    yousaid.join(5)
    ran = yousaid.done("key", "rotate")
    assert ran.out.index("RECOVERY SHEET") < ran.out.index("Done in")
    assert ring(yousaid) == (read_sheet(sheet_in(ran.out)),)
    assert ring(yousaid)[0] != old
    assert earlier_keys(yousaid.key_file.parent) == (old,)
    assert not (yousaid.key_file.parent / "key.next").exists()
    assert yousaid.change(nothing_left)
    yousaid.done("key", "rotate", "--sheet", "new.pdf")
    assert groups_of(ring(yousaid)[0])[0] in words_of(Path("new.pdf").read_bytes())
    assert len(earlier_keys(yousaid.key_file.parent)) == 2


def test_a_backup_from_the_middle_of_a_change_is_put_back_whole(yousaid: CommandLine) -> None:
    """FAIL-17: it holds values of both keys. The old one lies beside the key file as long as such a backup."""
    yousaid.join(5)
    assert killed_at(yousaid, "data.rotation._some", "before", 3) == -signal.SIGKILL
    yousaid.done("backup", "middle.bak")
    yousaid.done("key", "rotate")
    yousaid.done("restore", "middle.bak", "--yes")
    assert yousaid.change(nothing_left)
    assert found(yousaid)["key"][0] == "ok"


def test_no_log_holds_a_sheet() -> None:
    """B7"""
    for line in (square_text(KEY), "  ".join(groups_of(KEY)[:7]), " ".join(groups_of(KEY))):
        said = Redactor([]).clean(f"read {line}.")
        assert not [group for group in groups_of(KEY)[:7] if group in said]


def test_the_list_of_what_was_deleted_is_signed_anew(yousaid: CommandLine) -> None:
    """The bot does not run while the key is changed; afterwards it trusts its own list."""

    async def deleted(tx: Tx) -> None:
        await bury(tx, PERSON, "gone-person", datetime.now(UTC))

    yousaid.change(deleted)
    yousaid.done("key", "rotate")
    mirror = read_mirror(yousaid.key_file.parent, Vault(*ring(yousaid)))
    assert mirror is not None
    assert len(mirror.tombstones) == 1


STEPS = (
    "data.key_ring.write_ring", "bot.cli.key.show_new_sheet", "data.key_ring.forget_next", "data.rotation._begin",
    "data.rotation._some", "data.rotation._end", "data.rotation.wipe", "data.rotation.retire",
    "data.rotation.keep_earlier",
)  # fmt: skip
KILLED = """
import os, signal, sys
from unittest import mock
module, _, name = sys.argv[1].rpartition(".")
when, nth = sys.argv[2], int(sys.argv[3])
import importlib
home = importlib.import_module(module)
real, calls = getattr(home, name), []
def die(): os.kill(os.getpid(), signal.SIGKILL)
def step(*args, **more):
    calls.append(1)
    if len(calls) == nth and when == "before": die()
    done = real(*args, **more)
    if hasattr(done, "__await__"):
        async def whole():
            found = await done
            if len(calls) == nth and when == "after": die()
            return found
        return whole()
    if len(calls) == nth and when == "after": die()
    return done
setattr(home, name, step)
from bot.__main__ import main
sys.argv = ["yousaid", "key", "rotate"]
main()
"""


def killed_at(yousaid: CommandLine, step: str, when: str, nth: int = 1) -> int:
    """`yousaid key rotate` in a process that kills itself there; its exit code."""
    here = Path(__file__).parent.parent
    command = [sys.executable, "-c", KILLED, step, when, str(nth)]
    env = {**os.environ, "PYTHONPATH": str(here)}
    ran = subprocess.run(command, cwd=yousaid.folder, env=env, capture_output=True, timeout=60, check=False)
    return ran.returncode


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_it_goes_on(yousaid: CommandLine, step: str, when: str) -> None:
    """FAIL-17: kill -9 at every step. In between the school works; run again, it ends with one row in the log."""
    old = ring(yousaid)[0]
    yousaid.join(5)
    assert killed_at(yousaid, step, when) == -signal.SIGKILL
    yousaid.join(1)  # the school goes on with what is there
    ran = yousaid.done("key", "rotate")
    done_already = step == "data.rotation.retire" and when == "after"
    new = ring(yousaid)
    assert len(new) == 1
    assert new[0] != old
    assert old in earlier_keys(yousaid.key_file.parent)
    assert not (yousaid.key_file.parent / "key.next").exists()
    assert read_sheet(sheet_in(ran.out)) == new[0]
    assert yousaid.change(nothing_left)

    async def rows(tx: Tx) -> int:
        return len(await entries(tx, tx.vault.id.hex(), "key-rotated"))

    assert yousaid.change(rows) == 1
    assert len(earlier_keys(yousaid.key_file.parent)) == (2 if done_already else 1)


@pytest.mark.slow
def test_killed_again_and_again_at_random_moments(yousaid: CommandLine) -> None:
    """FAIL-17"""
    yousaid.join(1500)
    old, dice = ring(yousaid)[0], random.Random(5)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-m", "bot", "key", "rotate"], cwd=yousaid.folder, env=env, stdout=subprocess.DEVNULL
        ) as process:
            time.sleep(dice.uniform(0.4, 1.6))
            process.kill()
        vault = read_vault(read_settings())
        assert isinstance(vault, Vault)
        yousaid.join(1)
    yousaid.done("key", "rotate")
    assert yousaid.change(nothing_left)
    assert old in earlier_keys(yousaid.key_file.parent)


def test_a_second_rotation_at_the_same_time_refuses(yousaid: CommandLine) -> None:
    from data.rotation import RotationLock

    with RotationLock(yousaid.key_file.parent):
        assert "being changed already" in yousaid("key", "rotate").refused()


def test_the_old_key_gone_too_early_is_typed_back(yousaid: CommandLine) -> None:
    """FAIL-17: old ring gone. The sheet of the missing key mends it."""
    old = ring(yousaid)[0]
    yousaid.join(5)
    assert killed_at(yousaid, "data.rotation._some", "before", 3) == -signal.SIGKILL
    new = ring(yousaid)[0]
    for kept, missing in ((new, old), (old, new)):
        write_ring(yousaid.key_file, kept)
        assert "key" in yousaid("survey", "list").refused()
        ran = yousaid.done("key", "restore", typed=square_text(missing) + "\n")
        assert "A change of keys was under way" in ran.out
        assert ring(yousaid) == (new, old)
    yousaid.done("key", "rotate")
    assert ring(yousaid) == (new,)
    assert yousaid.change(nothing_left)


def test_plain_takes_the_square_of_a_scanner() -> None:
    assert plain(square_text(KEY)) == "".join(groups_of(KEY))


@pytest.mark.slow
async def test_parents_answer_while_the_key_is_changed_and_killed(tmp_path: Path) -> None:
    """FAIL-17: the bot and the change are processes of their own; the change is killed twice on the way."""
    (tmp_path / "keys").mkdir(mode=0o700)
    write_ring(tmp_path / "keys/key", MASTER)
    async with TelegramServer() as server:
        async with opened(tmp_path) as school:
            school.clock.set(datetime.now(UTC))
            parents = await invited(school, server, 12)
        settings = environment(server, tmp_path, free_port())
        bot = BotProcess(settings)
        await bot.start()
        try:
            changing = asyncio.create_task(_changed(settings, kills=2))
            await asyncio.gather(*(parent.answer_all(120) for parent in parents))
            assert await changing == 0
        finally:
            await bot.stop()
        server.assert_nothing_refused()
        found = await counted(tmp_path, parents, 0)
    assert (found["lost"], found["twice"], found["finished"]) == (0, 0, 12)
    assert KeyFile(tmp_path / "keys/key").read() != (MASTER,)
    async with opened(tmp_path) as school, school.db.reading() as tx:
        assert await nothing_left(tx)


async def _changed(settings: dict[str, str], kills: int) -> int:
    """The exit code of the change that was not killed."""
    env = {**os.environ, **settings}
    for pause in (*(1.3 + 0.4 * n for n in range(kills)), 60.0):
        rotate = (sys.executable, "-m", "bot", "key", "rotate")
        process = await asyncio.create_subprocess_exec(*rotate, env=env, stdout=asyncio.subprocess.DEVNULL)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(process.wait(), pause)
        process.kill()
        await process.wait()
    return -1


def test_doctor_says_that_a_change_of_keys_is_not_finished(yousaid: CommandLine) -> None:
    old = ring(yousaid)[0]
    assert "key" not in {name for name, (state, *_) in found(yousaid).items() if state != "ok"}
    assert killed_at(yousaid, "data.rotation._some", "before", 3) == -signal.SIGKILL
    assert found(yousaid)["key"][::2] == ("look", "yousaid key rotate")
    write_ring(yousaid.key_file, ring(yousaid)[0])
    state, says, _ = found(yousaid)["database"]
    assert state == "broken"
    assert "needs both keys" in says
    write_ring(yousaid.key_file, old)
    assert "another key" in found(yousaid)["database"][1]
