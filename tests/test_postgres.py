"""A PostgreSQL server as a school's database: whose it is, one writer at a time, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import func, insert, select

from data.database import Database, DatabaseBusy, DatabaseProblem, open_database, read_fact, write_fact
from data.lock import ServerLock, run_lock
from data.people import save_groups
from data.place import PostgresServer
from data.postgres import prepare
from data.postgres_link import SETTINGS
from data.problems import StatementRefused
from data.tables import facts, groups, roles
from data.vault import BoxKeys, KeyProblem, Vault
from tests.postgres_server import Server
from tests.school import MASTER, School, opened

VAULT = Vault(MASTER)


@pytest.fixture
def place(postgres: Server) -> Iterator[PostgresServer]:
    """A migrated database."""
    place = postgres.new()
    yield place
    postgres.drop(place)


@pytest.fixture
def empty(postgres: Server) -> Iterator[PostgresServer]:
    place = postgres.empty()
    yield place
    postgres.drop(place)


@pytest.fixture
async def db(place: PostgresServer, tmp_path: Path):
    db = Database(place, VAULT, BoxKeys(tmp_path))
    yield db
    await db.close()


async def fact(db: Database, name: str) -> bytes | None:
    async with db.reading() as tx:
        return await read_fact(tx, name)


async def note(db: Database, name: str) -> None:
    async with db.transaction() as tx:
        await write_fact(tx, name, b"1")


# --- whose database it is -----------------------------------------------------------------------------------------


async def test_an_empty_database_is_not_taken_for_a_school(empty: PostgresServer, tmp_path: Path) -> None:
    with pytest.raises(DatabaseProblem, match="Run `yousaid setup` first"):
        await open_database(empty, VAULT, BoxKeys(tmp_path))


@pytest.mark.parametrize(
    "made", ["TABLE theirs (x int)", "TABLE alembic_version (version_num text)", "VIEW theirs AS SELECT 1"]
)
async def test_somebody_elses_database_is_left_alone(
    postgres: Server, empty: PostgresServer, tmp_path: Path, made: str
) -> None:
    postgres.does(f"CREATE {made}", empty)
    with pytest.raises(DatabaseProblem, match="tables of another program"):
        await open_database(empty, VAULT, BoxKeys(tmp_path), create=True)
    assert postgres.does("SELECT count(*) FROM pg_class WHERE relname = 'people'", empty)[0][0] == 0


async def test_another_key_is_refused(place: PostgresServer, tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="made with another key"):
        await open_database(place, Vault(b"x" * 32), BoxKeys(tmp_path), create=True)


async def test_a_newer_schema_is_refused(postgres: Server, place: PostgresServer, tmp_path: Path) -> None:
    postgres.does("UPDATE alembic_version SET version_num = '9999'", place)
    with pytest.raises(DatabaseProblem, match="from a newer version"):
        await open_database(place, VAULT, BoxKeys(tmp_path))


async def test_two_that_start_together_make_one_school(empty: PostgresServer) -> None:
    await asyncio.gather(*(prepare(empty, VAULT, create=True) for _ in range(4)))
    await prepare(empty, VAULT, create=False)


async def test_a_migration_that_fails_leaves_nothing_behind(
    postgres: Server, empty: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAIL-15: the old schema or the new one."""
    monkeypatch.setattr("data.postgres.key_check", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await prepare(empty, VAULT, create=True)
    assert (
        postgres.does("SELECT count(*) FROM pg_class WHERE relname IN ('people', 'alembic_version')", empty)[0][0] == 0
    )


# --- one after another --------------------------------------------------------------------------------------------


async def test_what_is_read_and_then_written_is_never_lost(place: PostgresServer, tmp_path: Path) -> None:
    """Three programs, each with its own lines, count together."""

    async def count_up(db: Database, times: int) -> None:
        for _ in range(times):
            async with db.transaction() as tx:
                before = int(await read_fact(tx, "count") or b"0")
                await asyncio.sleep(0)
                await write_fact(tx, "count", str(before + 1).encode())

    programs = [Database(place, VAULT, BoxKeys(tmp_path)) for _ in range(3)]
    await asyncio.gather(*(count_up(db, 10) for db in programs for _ in range(2)))
    assert await fact(programs[0], "count") == b"60"
    for db in programs:
        await db.close()


async def test_readers_see_one_moment_and_cannot_write(db: Database) -> None:
    async with db.reading() as tx:
        assert await read_fact(tx, "a") is None
        await note(db, "a")
        assert await read_fact(tx, "a") is None
    assert await fact(db, "a") == b"1"
    with pytest.raises(DatabaseProblem, match="can only be read"):
        async with db.reading() as tx:
            await write_fact(tx, "b", b"1")


async def test_a_turn_that_fails_or_is_cancelled_undoes_itself(db: Database) -> None:
    async def hangs() -> None:
        async with db.transaction() as tx:
            await write_fact(tx, "a", b"1")
            await asyncio.Event().wait()

    hanging, waiting = asyncio.create_task(hangs()), asyncio.create_task(note(db, "b"))
    await asyncio.sleep(0.1)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    await waiting
    with pytest.raises(LookupError):  # noqa: PT012
        async with db.transaction() as tx:
            await write_fact(tx, "c", b"1")
            raise LookupError
    assert [await fact(db, name) for name in "abc"] == [None, b"1", None]


async def test_another_programs_lock_is_named_after_waiting(
    place: PostgresServer, db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(SETTINGS, "lock_timeout", "50")
    other = Database(place, VAULT, BoxKeys(tmp_path))
    async with other.transaction():
        with pytest.raises(DatabaseBusy, match="held by another program"):
            await note(db, "a")
    await note(db, "a")
    await other.close()


async def test_every_word_can_be_kept(db: Database) -> None:
    """NUL, which PostgreSQL refuses, and letters of all kinds."""
    names = ["a\0b", "naïve 😀 \u200f العربية", "x" * 5000]
    async with db.transaction() as tx:
        await save_groups(tx, names)
    async with db.reading() as tx:
        kept = {r.name for r in await tx.all(select(groups.c.name))}
        assert not await tx.all(select(groups).where(groups.c.name == "ab"))
    assert kept == {"a\ufffdb", *names[1:]}


# --- what goes wrong on the way -----------------------------------------------------------------------------------


async def test_a_refused_statement_shows_no_value(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.run(insert(facts).values(name="canary", value=b"canary"))
    for statement in (insert(facts).values(name="canary", value=b""), insert(roles).values(person="canary", role="x")):
        with pytest.raises(StatementRefused) as caught:
            async with db.transaction() as tx:
                await tx.run(statement)
        assert "canary" not in str(caught.value)
    assert await fact(db, "canary") == b"canary"


async def test_an_outage_ends_with_the_server_being_back(postgres: Server, db: Database) -> None:
    await note(db, "a")
    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(DatabaseProblem, match=r"broke|cannot be reached") as caught:
                await note(db, "b")
            with pytest.raises(DatabaseProblem):
                await fact(db, "a")
        assert "\n" not in str(caught.value)
    finally:
        postgres.start()
    await note(db, "c")
    assert [await fact(db, name) for name in "abc"] == [b"1", None, b"1"]


def cut(postgres: Server, place: PostgresServer) -> None:
    postgres.does(f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname = '{place.database}'")


async def test_lines_that_broke_unused_are_not_noticed(postgres: Server, place: PostgresServer, db: Database) -> None:
    await note(db, "a")
    assert await fact(db, "a")
    cut(postgres, place)
    await note(db, "b")
    cut(postgres, place)
    assert await fact(db, "b") == b"1"


async def test_a_line_that_breaks_in_a_turn_undoes_it(postgres: Server, place: PostgresServer, db: Database) -> None:
    with pytest.raises(DatabaseBusy, match="broke"):  # noqa: PT012
        async with db.transaction() as tx:
            await write_fact(tx, "a", b"1")
            cut(postgres, place)
            await write_fact(tx, "b", b"1")
    with pytest.raises(DatabaseBusy, match="broke"):  # noqa: PT012
        async with db.transaction() as tx:
            await write_fact(tx, "c", b"1")
            cut(postgres, place)
    assert [await fact(db, name) for name in "abc"] == [None, None, None]


async def said(url: str, tmp_path: Path) -> str:
    with pytest.raises(DatabaseProblem) as caught:
        await open_database(PostgresServer(url), VAULT, BoxKeys(tmp_path))
    text = str(caught.value)
    assert "\n" not in text
    assert "canary" not in text
    return text


async def test_whatever_is_wrong_on_the_way_has_a_remedy(
    postgres: Server, place: PostgresServer, tmp_path: Path
) -> None:
    at = f"host={postgres.data}"
    assert "Make it first" in await said(f"postgresql://postgres:canary@/none?{at}", tmp_path)
    assert "refuses this user" in await said(f"postgresql://nobody:canary@/{place.database}?{at}", tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        url = f"postgresql://me:canary@127.0.0.1:{port}/elmfield"
        assert "elmfield on this machine cannot be reached" in await said(url, tmp_path)
    assert "cannot be reached" in await said("postgresql://me:canary@no.such.host.invalid/elmfield", tmp_path)
    assert "not there" in await said("postgresql://me:canary@10.0.0.1/e?sslmode=verify-full&sslrootcert=no", tmp_path)


async def test_a_user_without_rights_is_told_what_to_do(
    postgres: Server, empty: PostgresServer, tmp_path: Path
) -> None:
    if not postgres.does("SELECT 1 FROM pg_roles WHERE rolname = 'guest'"):
        postgres.does("CREATE ROLE guest LOGIN")
    with pytest.raises(DatabaseProblem, match="owner of the database"):
        await open_database(
            PostgresServer(empty.url.replace("postgres@", "guest@")), VAULT, BoxKeys(tmp_path), create=True
        )


# --- what was deleted ---------------------------------------------------------------------------------------------


async def test_deleted_rows_are_not_in_its_files_any_more(
    postgres: Server, place: PostgresServer, db: Database
) -> None:
    """M4: every file of the database itself, as somebody with the disk would read it."""
    marker = b"glockenspiel-marker"
    async with db.transaction() as tx:
        await write_fact(tx, "a", marker)
        await write_fact(tx, "b", b"kept-marker")
    async with db.transaction() as tx:
        await tx.run(facts.delete().where(facts.c.name == "a"))
    assert found(postgres, place, marker)
    await db.wipe_deleted()
    assert not found(postgres, place, marker)
    assert found(postgres, place, b"kept-marker")


def found(postgres: Server, place: PostgresServer, marker: bytes) -> bool:
    postgres.does("CHECKPOINT")
    folder = postgres.does(f"SELECT oid FROM pg_database WHERE datname = '{place.database}'")[0][0]
    return any(marker in file.read_bytes() for file in (postgres.data / "base" / str(folder)).iterdir())


async def test_a_reader_in_the_way_of_wiping_only_postpones_it(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "lock_timeout", "50")
    async with db.reading() as tx:
        assert await tx.value(select(func.count()).select_from(facts)) == 1
        await db.wipe_deleted()
    await note(db, "a")


# --- the run lock -------------------------------------------------------------------------------------------------


async def test_one_bot_works_on_a_database(postgres: Server, place: PostgresServer, empty: PostgresServer) -> None:
    first, second, elsewhere = run_lock(place), run_lock(place), run_lock(empty)
    assert await first.acquire()
    assert await first.acquire()
    assert not await second.acquire()
    assert await second.held_elsewhere()
    assert not await first.held_elsewhere()
    assert await elsewhere.acquire()
    await first.release()
    await first.release()
    assert await second.acquire()
    await second.release()
    await elsewhere.release()


async def test_a_lock_whose_line_broke_is_taken_again(postgres: Server, place: PostgresServer) -> None:
    lock, other = ServerLock(place), ServerLock(place)
    assert await lock.acquire()
    watching = asyncio.create_task(lock.taken_over())
    for _ in range(3):
        broken = lock._connection
        cut(postgres, place)
        async with asyncio.timeout(20):
            while lock._connection is broken:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert not watching.done()
        assert not await other.acquire()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await lock.release()


async def test_a_bot_whose_lock_another_one_took_hears_of_it(postgres: Server, place: PostgresServer) -> None:
    lock, other = ServerLock(place), ServerLock(place)
    assert await lock.acquire()
    lock._connection.terminate()  # and before it looks, the other one is there
    while not await other.acquire():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.wait_for(lock.taken_over(), 5)
    await other.release()
    await lock.release()


async def test_what_the_server_keeps_of_a_dead_line_is_ended(place: PostgresServer) -> None:
    """The machine fell off the network: for the server its old line still holds the lock."""
    lock = ServerLock(place)
    assert await lock.acquire()
    left, lock._connection = lock._connection, None
    assert await lock.acquire()
    await lock.release()
    left.terminate()


# --- the line itself ----------------------------------------------------------------------------------------------


def certificate(folder: Path, *names: str) -> None:
    """A certificate for these names that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "db.example")])
    now = datetime.now(UTC)
    also = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1)).add_extension(also, False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "server.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(pem)
    (folder / "server.key").chmod(0o600)


@asynccontextmanager
async def network(postgres: Server, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """The server over TCP, and where it has a certificate over TLS, which the one from the wheel cannot do itself."""

    lines: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(asyncio.current_task())  # type: ignore[arg-type]
        inner, to_server = await asyncio.open_unix_connection(postgres.data / ".s.PGSQL.5432")
        with suppress(OSError, asyncio.IncompleteReadError):
            if tls:
                assert await reader.readexactly(8) == struct.pack("!ii", 8, 80877103)  # "may we speak TLS?"
                writer.write(b"S")
                await writer.start_tls(tls)
            await asyncio.gather(pipe(reader, to_server), pipe(inner, writer))
        for end in (to_server, writer):
            end.close()
            with suppress(OSError):
                await end.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.gather(*lines)


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def test_over_a_network_the_certificate_is_checked(
    postgres: Server, empty: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """trust.md A8, row 12: TLS, and the server's certificate."""
    monkeypatch.setattr(PostgresServer, "is_local", False)  # what is on this machine needs no certificate
    monkeypatch.setenv("HOME", str(tmp_path))
    certificate(tmp_path, "localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    trusted = f"sslrootcert={tmp_path / 'server.crt'}"
    reached = "Run `yousaid setup` first"
    async with network(postgres, None) as port:
        url = f"postgresql://postgres@localhost:{port}/{empty.database}"
        assert "offers no encrypted line" in await said(url, tmp_path)
        assert reached in await said(f"{url}?sslmode=disable", tmp_path)
    async with network(postgres, tls) as port:
        url = f"postgresql://postgres@localhost:{port}/{empty.database}"
        assert "cannot be checked" in await said(url, tmp_path)
        assert reached in await said(f"{url}?{trusted}", tmp_path)
        assert reached in await said(f"{url}?sslmode=verify-full&{trusted}", tmp_path)
        assert "cannot be checked" in await said(f"{url.replace('localhost', '127.0.0.1')}?{trusted}", tmp_path)
        assert reached in await said(f"{url}?sslmode=require", tmp_path)
        (tmp_path / ".postgresql").mkdir()
        (tmp_path / ".postgresql" / "root.crt").write_bytes((tmp_path / "server.crt").read_bytes())
        assert reached in await said(url, tmp_path)


# --- the tests themselves -----------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_tests_of_both_databases_run_on_the_one_in_their_name(
    school: School, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with opened(tmp_path / "another") as other:
        for place in (school.db.place, other.db.place):
            assert isinstance(place, PostgresServer) == ("postgresql" in request.node.name)
