"""The run lock: one holder at a time, freed when its process ends however it ends."""

import subprocess
import sys
from pathlib import Path

from data.lock import RunLock

HOLD = "import sys, time; from pathlib import Path; from data.lock import RunLock; l = RunLock(Path(sys.argv[1])); print(l.acquire(), flush=True); time.sleep(60)"  # noqa: E501


def test_only_one_holds_it_until_released(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path / "yousaid.db"), RunLock(tmp_path / "yousaid.db")

    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    first.release()
    assert second.acquire()
    second.release()


def test_databases_have_locks_of_their_own(tmp_path: Path) -> None:
    one, other = RunLock(tmp_path / "a.db"), RunLock(tmp_path / "b.db")

    assert one.acquire()
    assert other.acquire()
    assert one.path == tmp_path / "a.db.lock"
    one.release()
    other.release()


def test_killed_process_holds_nothing(tmp_path: Path) -> None:
    here = Path(__file__).parent.parent
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "a.db")], cwd=here, stdout=subprocess.PIPE)
    assert other.stdout
    with other.stdout:
        assert other.stdout.readline() == b"True\n"
    lock = RunLock(tmp_path / "a.db")

    assert not lock.acquire()
    other.kill()
    other.wait()
    assert lock.acquire()
    lock.release()
