"""Reaching Telegram through a school's proxy and with its own certificate authority, by both clients."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from telegram import Bot
from telegram.error import NetworkError

from bot.cli.telegram_me import ask_me
from bot.settings import Settings, SettingsProblem, read_settings
from bot.telegram_channel.application import make_application, running, serve
from bot.telegram_channel.connecting import make_request
from bot.telegram_channel.request import Unanswered
from bot.telegram_channel.token import PLACE, Token
from data.outbox import outbox_counts
from data.people import addresses_of, find_group, person_at
from tests.event_days import add_dropin
from tests.listening import listening
from tests.school import opened
from tests.telegram_school import TelegramSchool
from tests.telegram_server import TelegramServer

CLIENTS = ["aiohttp", "httpx"]
PASSWORD = "TEST-canary-proxy-password"


class Proxy:
    """A forwarding HTTP proxy: plain requests with their whole address, and CONNECT."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.authorised: list[str] = []
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in self._open:
                writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split("\r\n")[0].split(" ")
        self.asked.append(f"{method} {target.split('/bot')[0]}")
        self.authorised += [line for line in head.split("\r\n") if line.lower().startswith("proxy-authorization")]
        host, _, port = target.removeprefix("http://").split("/")[0].partition(":")
        there, onward = await asyncio.open_connection(host, int(port))
        self._open.add(onward)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            onward.write(head.encode("latin-1"))
        await asyncio.gather(_pump(reader, onward), _pump(there, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


def _settings(server: str, **more: object) -> Settings:
    given = {"telegram_token": SecretStr("123456:TEST-canary-token"), "telegram_api": server, **more}
    return Settings(**given)  # type: ignore[arg-type]


async def _me(settings: Settings) -> str:
    """The bot's name as Telegram says it, through the client of these settings."""
    assert settings.telegram_token
    token = Token(settings.telegram_token.get_secret_value())
    one, other = make_request(settings, token), make_request(settings, token, updates=True)
    bot = Bot(PLACE, base_url=f"{settings.telegram_api}/bot", request=one, get_updates_request=other)
    async with one, other:
        return (await bot.get_me()).username or ""


@pytest.mark.parametrize("client", CLIENTS)
async def test_through_a_proxy(client: str, caplog: pytest.LogCaptureFixture) -> None:
    """Everything goes by the proxy, with its name and password, which no log line and no repr holds."""
    caplog.set_level(logging.DEBUG)
    proxy = Proxy()
    async with TelegramServer() as server, proxy.listening() as port:
        settings = _settings(server.url, telegram_client=client, proxy=f"http://me:{PASSWORD}@127.0.0.1:{port}")
        assert await _me(settings) == "yousaid_test_bot"
        assert (await ask_me(settings)).name == "yousaid_test_bot"
    assert proxy.asked
    assert proxy.authorised
    ours = [r for r in caplog.records if not r.name.startswith(("telegram", "asyncio", "httpcore"))]
    assert PASSWORD not in "".join(r.getMessage() for r in ours) + repr(settings) + str(settings)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_proxy_that_is_not_there(client: str) -> None:
    """One error without an address in it."""
    async with TelegramServer() as server:
        settings = _settings(server.url, telegram_client=client, proxy=f"http://me:{PASSWORD}@127.0.0.1:9")
        with pytest.raises(NetworkError) as error:
            await _me(settings)
    assert PASSWORD not in str(error.value) + repr(error.value.__cause__) + repr(error.value.__context__)
    assert "canary" not in str(error.value)


@pytest.mark.parametrize("client", CLIENTS)
async def test_no_answer_is_not_the_same_as_not_sent(client: str) -> None:
    """What was never sent can go again at once; what perhaps arrived cannot."""
    async with TelegramServer(delay=0.5) as server:
        request = make_request(_settings(server.url, telegram_client=client), read_timeout=0.1)
        async with request:
            with pytest.raises(Unanswered):
                await request.post(f"{server.url}/bot{server.token}/getMe")
            with pytest.raises(NetworkError) as error:
                await request.post(f"http://127.0.0.1:9/bot{server.token}/getMe")
    assert not isinstance(error.value, Unanswered)


class WebFilter:
    """What schools have between them and the world: passes all on, or shows a page of its own with this status."""

    def __init__(self, onward: str) -> None:
        self.onward = onward
        self.status = 0
        self._refused = asyncio.Semaphore(0)

    async def refuses(self, times: int) -> None:
        for _ in range(times):
            await self._refused.acquire()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        async with listening(app) as address:
            yield address

    async def _serve(self, request: web.Request) -> web.Response:
        if self.status:
            self._refused.release()
            return web.Response(status=self.status, text="<html>This site is blocked</html>", content_type="text/html")
        body, kind = await request.read(), {"Content-Type": request.headers.get("Content-Type", "")}
        there = self.onward + request.path_qs
        async with (
            ClientSession() as session,
            session.request(request.method, there, data=body, headers=kind) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type="application/json")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("status", [200, 403, 404])
async def test_the_page_of_a_web_filter_is_not_telegrams_answer(tmp_path: Path, client: str, status: int) -> None:
    """The bot goes on and waits: nobody counts as having blocked it, nothing as sent, and its token stays right."""
    async with TelegramServer() as server, opened(tmp_path) as school:
        between = WebFilter(server.url)
        async with between.listening() as address:
            application = make_application(
                _settings(address, telegram_client=client, telegram_token=SecretStr(server.token))
            )
            async with running(application):
                talking = asyncio.create_task(serve(application, school.dialogue))
                bot = TelegramSchool(server, school, application)
                person = await bot.joins("parent", "SEND parents")
                between.status = status
                await person.types("/help")
                async with school.db.transaction() as tx:
                    group = await find_group(tx, "SEND parents")
                    await add_dropin(
                        tx, group or "", school.clock.now + datetime.timedelta(hours=2), "Room 4", school.clock.now
                    )
                await bot.rounds()
                await between.refuses(3)  # by the round, and by fetching, which goes on
                async with school.db.reading() as tx:
                    assert await outbox_counts(tx) == {"waiting": 1}
                    found = await person_at(tx, "telegram", str(person.id))
                    assert found
                    assert await addresses_of(tx, found.id)
                assert bot.token.usable.is_set()
                assert not talking.done()
                between.status = 0
                await person.reads_until("What you can do")
                school.clock.move(minutes=5)
                await bot.rounds()
                await person.reads_until("there is a date for you today")
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate authority's certificate, and a server's certificate with its key, both PEM."""
    folder = tmp_path_factory.mktemp("authority")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Elmfield test authority")])
    key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    base = x509.CertificateBuilder().issuer_name(name).not_valid_before(since)
    base = base.not_valid_after(since + datetime.timedelta(days=30))
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    root = (
        base.subject_name(name).public_key(key.public_key()).serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    local = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    leaf = (
        base.subject_name(host).public_key(server_key.public_key()).serial_number(2)
        .add_extension(local, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    private = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ca, both = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(root.public_bytes(pem))
    both.write_bytes(leaf.public_bytes(pem) + private)
    return ca, both


@asynccontextmanager
async def _tls_server(both: Path) -> AsyncIterator[str]:
    async def me(_: web.Request) -> web.Response:
        user = {"id": 123456, "is_bot": True, "first_name": "YouSaid", "username": "yousaid_tls_bot"}
        return web.json_response({"ok": True, "result": user})

    app = web.Application()
    app.router.add_route("*", "/bot{token}/getMe", me)
    runner = web.AppRunner(app)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_authority_of_the_schools_own(client: str, authority: tuple[Path, Path]) -> None:
    """Believed only where YOUSAID_CA_FILE names it."""
    ca, both = authority
    async with _tls_server(both) as address:
        assert await _me(_settings(address, telegram_client=client, ca_file=ca)) == "yousaid_tls_bot"
        with pytest.raises(NetworkError):
            await _me(_settings(address, telegram_client=client))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PROXY", "proxy.school:3128", "must look like"),
        ("PROXY", f"socks5://me:{PASSWORD}@proxy", "must look like"),
        ("CA_FILE", "missing.pem", "no file"),
        ("CA_FILE", "not.pem", "no certificates in PEM form"),
        ("TELEGRAM_CLIENT", "curl", "YOUSAID_TELEGRAM_CLIENT"),
    ],
)
def test_wrong_settings_end_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "not.pem").write_text("this is no certificate\n")
    monkeypatch.setenv(f"YOUSAID_{name}", value)
    with pytest.raises(SettingsProblem) as problem:
        read_settings()
    line = str(problem.value)
    assert says in line
    assert f"YOUSAID_{name}" in line
    assert PASSWORD not in line
