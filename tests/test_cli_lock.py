"""The run lock: one holder at a time, freed when its process ends however it ends."""

import subprocess
import sys
from pathlib import Path

from data.lock import FileLock

HOLD = "import asyncio, sys, time; from pathlib import Path; from data.lock import FileLock; l = FileLock(Path(sys.argv[1])); print(asyncio.run(l.acquire()), flush=True); time.sleep(60)"  # noqa: E501


async def test_only_one_holds_it_until_released(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "yousaid.db"), FileLock(tmp_path / "yousaid.db")

    assert await first.acquire()
    assert await first.acquire()
    assert not await second.acquire()
    await first.release()
    await first.release()
    assert await second.acquire()
    await second.release()


async def test_databases_have_locks_of_their_own(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "a.db"), FileLock(tmp_path / "b.db")

    assert await one.acquire()
    assert await other.acquire()
    assert one.path == tmp_path / "a.db.lock"
    await one.release()
    await other.release()


async def test_killed_process_holds_nothing(tmp_path: Path) -> None:
    here = Path(__file__).parent.parent
    command = [sys.executable, "-c", HOLD, str(tmp_path / "a.db")]
    other = subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE)  # noqa: ASYNC220
    assert other.stdout
    with other.stdout:
        assert other.stdout.readline() == b"True\n"
    lock = FileLock(tmp_path / "a.db")

    assert not await lock.acquire()
    other.kill()
    other.wait()
    assert await lock.acquire()
    await lock.release()
