"""The server: one bot, its chats, its calls, and what was refused."""

import asyncio
import inspect
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, Self

from aiohttp import web

from tests.telegram_server import editing, parameters, profile, sending, wire
from tests.telegram_server.chats import Chat, Group, Person
from tests.telegram_server.faults import Fault, Faults
from tests.telegram_server.files import MEBIBYTE, Files
from tests.telegram_server.refusals import Refusal, conflict
from tests.telegram_server.updates import WEBHOOK_SET, Bell, Updates
from tests.telegram_server.webhook import Webhook, check_webhook

POLLER_GONE_AFTER = 2.0

HANDLERS: dict[str, Callable[["TelegramServer", dict], object]] = {
    "getMe": profile.get_me,
    "getMyName": profile.get_my_name,
    "setMyCommands": profile.set_my_commands,
    "deleteMyCommands": profile.delete_my_commands,
    "getMyCommands": profile.get_my_commands,
    "setMyDescription": profile.set_my_description,
    "getMyDescription": profile.get_my_description,
    "setMyShortDescription": profile.set_my_short_description,
    "getMyShortDescription": profile.get_my_short_description,
    "setChatMenuButton": profile.set_chat_menu_button,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendDocument": sending.send_document,
    "sendVoice": sending.send_voice,
    "sendChatAction": sending.send_chat_action,
    "getChat": sending.get_chat,
    "leaveChat": sending.leave_chat,
    "getFile": sending.get_file,
    "editMessageText": editing.edit_message_text,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "answerCallbackQuery": editing.answer_callback_query,
    "getUpdates": lambda server, params: server.get_updates(params),
    "setWebhook": lambda server, params: server.set_webhook(params),
    "deleteWebhook": lambda server, params: server.delete_webhook(params),
    "getWebhookInfo": lambda server, params: server.webhook_info(),
}
NAMES = {name.lower(): name for name in HANDLERS}


class Call(NamedTuple):
    """A method the bot called; `at` is on the monotonic clock."""

    method: str
    params: dict
    at: float


class TelegramServer:
    """The Bot API for one bot on loopback; `async with` or start and stop."""

    def __init__(
        self,
        token: str = "123456:TEST-canary-token",
        delay: float = 0.0,
        per_second: int | None = None,
        query_lifetime: float = 15.0,
    ) -> None:
        self.token = token
        self.delay = delay
        self.per_second = per_second
        self.retry_after = 1
        self.query_lifetime = query_lifetime
        self.webhook_retry = 0.1
        self.bot = _bot(token)
        self.calls: list[Call] = []
        self.refused: list[tuple[str, dict, str]] = []
        self.unavoidable: Counter[str] = Counter()
        self.chats: dict[int, Chat] = {}
        self.bell = Bell()
        self.updates = Updates(self.bell)
        self.files = Files()
        self.profile = profile.Profile()
        self.flood = sending.Flood()
        self.queries: dict[str, editing.Query] = {}
        self.webhook: Webhook | None = None
        self.stopping = False
        self._faults = Faults()
        self._message_ids = itertools.count(1)
        self._query_ids = itertools.count(7_000_000_000_000)
        self._running = 0
        self._changed_at = time.monotonic()
        self._runner: web.AppRunner | None = None
        self._root = ""

    # Open and close

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=64 * MEBIBYTE)
        app.router.add_route("*", "/bot{token}/{method}", self._serve)
        app.router.add_get("/file/bot{token}/{path:.+}", self._serve_file)
        self.stopping = False
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self._root = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        self.stopping = True
        self.bell.ring()
        await self._end_webhook()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """The root of the API, without token."""
        return self._root

    # Whom a test plays

    def person(self, chat_id: int, first_name: str = "Sam", language_code: str = "en") -> Person:
        """This person; the same one when asked again."""
        found = self.chats.setdefault(chat_id, Person(self, chat_id, first_name, language_code))
        assert isinstance(found, Person), f"chat {chat_id} is a group"
        return found

    def group(self, chat_id: int, title: str = "A group", kind: str = "supergroup") -> Group:
        found = self.chats.setdefault(chat_id, Group(self, chat_id, title, kind))
        assert isinstance(found, Group), f"chat {chat_id} is a person"
        return found

    def redeliver(self, update: dict) -> None:
        """Sends the same update once more, as after a lost confirmation."""
        self._changed_at = time.monotonic()
        if self.webhook:
            self.webhook.deliver(update)
        else:
            self.updates.redeliver(update)

    def put_update(self, kind: str, content: object) -> dict:
        self._changed_at = time.monotonic()
        update, wanted = self.updates.put(kind, content)
        if wanted and self.webhook:
            self.webhook.deliver(update)
        return update

    # Failures on request

    def fail_next(
        self,
        method: str,
        status: int,
        description: str,
        times: int = 1,
        after: bool = False,
        parameters: dict | None = None,
    ) -> None:
        """The next calls of this method fail; with `after` they take effect all the same."""
        self._faults.plan(Fault(_known(method), after, status, description, parameters), times)

    def drop_connection_next(self, method: str, times: int = 1, after: bool = False, midway: bool = False) -> None:
        """The connection breaks; `midway` sends half an answer first (the call then took effect)."""
        self._faults.plan(Fault(_known(method), after or midway, midway=midway), times)

    # What a test asks afterwards

    def calls_of(self, method: str) -> list[dict]:
        return [call.params for call in self.calls if call.method == _known(method)]

    async def called(self, method: str, times: int = 1, timeout: float = 20) -> dict:  # noqa: ASYNC109
        """Waits until this method was called so often; the parameters of the last call."""
        until = time.monotonic() + timeout
        while len(calls := self.calls_of(method)) < times:
            left = until - time.monotonic()
            if left <= 0 or not await self.bell.heard(left):
                raise AssertionError(f"{method} was called {len(calls)} times in {timeout} s, not {times}")
        return calls[-1]

    def assert_nothing_refused(self) -> None:
        lines = [f"  {method} {params}: {why}" for method, params, why in self.refused]
        assert not lines, "Telegram would have refused:\n" + "\n".join(lines)

    @property
    def unanswered(self) -> list[str]:
        """Ids of taps that nobody answered yet."""
        return list(self.queries)

    async def idle(self, seconds: float = 0.2, timeout: float = 10) -> None:  # noqa: ASYNC109
        """Waits until for that long nothing was called, sent or left to confirm."""
        until = time.monotonic() + timeout
        while not self._quiet_since(time.monotonic() - seconds):
            if time.monotonic() > until:
                raise AssertionError(f"still busy after {timeout} s: {self._busy_with()}")
            await asyncio.sleep(min(seconds / 4, 0.02))

    def _quiet_since(self, moment: float) -> bool:
        return not self._busy_with() and self._changed_at <= moment

    def _busy_with(self) -> str:
        polled = time.monotonic() - self.updates.asked_at < POLLER_GONE_AFTER
        left = len(self.updates.waiting) if polled or self.webhook else 0
        busy = self._running or left or (self.webhook and self.webhook.busy)
        return f"{self._running} calls, {left} updates not confirmed" if busy else ""

    # Small things the methods need

    @property
    def bot_user(self) -> dict:
        return {key: self.bot[key] for key in ("id", "is_bot", "first_name", "username")}

    def new_message_id(self) -> int:
        return next(self._message_ids)

    def new_query(self, person: Person) -> str:
        query_id = str(next(self._query_ids))
        self.queries[query_id] = editing.Query(person, time.monotonic())
        return query_id

    # Updates by polling and webhook

    async def get_updates(self, params: dict) -> list[dict]:
        if self.webhook:
            raise conflict(WEBHOOK_SET)
        return await self.updates.poll(params, lambda: self.stopping)

    async def set_webhook(self, params: dict) -> bool:
        if not params["url"]:
            return await self.delete_webhook(params)
        check_webhook(params)
        self.updates.end_poll("terminated by setWebhook request")
        await self._end_webhook()
        self.updates.allow(params.get("allowed_updates"))
        if params.get("drop_pending_updates"):
            self.updates.drop()
        self.webhook = Webhook(params, self._posted, self._called_in_answer, self.webhook_retry)
        for update in self.updates.waiting:
            self.webhook.deliver(update)
        return True

    async def delete_webhook(self, params: dict) -> bool:
        await self._end_webhook()
        if params.get("drop_pending_updates"):
            self.updates.drop()
        return True

    def webhook_info(self) -> dict:
        info: dict = {"has_custom_certificate": False, "pending_update_count": len(self.updates.waiting)}
        if self.webhook is None:
            return info | {"url": ""}
        info |= {"url": self.webhook.url, "max_connections": self.webhook.most}
        if self.webhook.last_error:
            at, why = self.webhook.last_error
            info |= {"last_error_date": at, "last_error_message": why}
        return info | {"allowed_updates": sorted(self.updates.allowed)}

    def _posted(self, update: dict) -> None:
        self._changed_at = time.monotonic()
        self.updates.done(update)

    async def _end_webhook(self) -> None:
        webhook, self.webhook = self.webhook, None
        if webhook:
            await webhook.close()

    # One call

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        counted = method.lower() != "getupdates"
        self._running += counted
        try:
            return await self._answered(request, method)
        finally:
            self._running -= counted
            if counted:
                self._changed_at = time.monotonic()

    async def _answered(self, request: web.Request, method: str) -> web.StreamResponse:
        try:
            name = self._admitted(request.match_info["token"], method)
            params = await wire.read_parameters(request)
        except Refusal as refusal:
            self._note(method, {}, refusal)
            return wire.respond(*_failed(refusal))
        fault = self._faults.take(name)
        if fault and not fault.after:
            self._record(name, params)
            status, body = fault.answer()
        else:
            status, body = await self._carried_out(request, name, params)
        if self.delay:
            await asyncio.sleep(self.delay)
        if fault and fault.cuts:
            return await wire.cut(request, body, fault.midway)
        return wire.respond(*(fault.answer() if fault else (status, body)))

    async def _called_in_answer(self, call: dict) -> None:
        """A call that came in the answer to an update: nobody is told what became of it."""
        name = _known(call.pop("method"))
        await self._carried_out(None, name, call)

    async def _carried_out(self, request: web.Request | None, name: str, raw: dict) -> tuple[int, dict]:
        params = raw
        call = self._record(name, raw)
        try:
            params = parameters.check(name, raw)
            self.calls[call] = self.calls[call]._replace(params=params)
            result = HANDLERS[name](self, params)
            return 200, {"ok": True, "result": await result if inspect.isawaitable(result) else result}
        except Refusal as refusal:
            if request is None or (request.transport and not request.transport.is_closing()):
                self._note(name, params, refusal)
            return _failed(refusal)

    def _record(self, name: str, params: dict) -> int:
        self.calls.append(Call(name, params, time.monotonic()))
        self.bell.ring()
        return len(self.calls) - 1

    def _admitted(self, token: str, method: str) -> str:
        """The method's name as Telegram writes it, if the token is right."""
        if not re.fullmatch(r"\d+:[\w-]+", token):
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")
        if method.lower() not in NAMES:
            raise Refusal(404, "Not Found: method not found")
        return NAMES[method.lower()]

    def _note(self, method: str, params: dict, refusal: Refusal) -> None:
        if refusal.unavoidable:
            self.unavoidable[refusal.unavoidable] += 1
        else:
            self.refused.append((method, params, refusal.description))

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        kept = self.files.at(request.match_info["path"])
        if request.match_info["token"] != self.token or kept is None:
            refusal = Refusal(404, "Not Found")
            self._note("file", {"path": request.match_info["path"]}, refusal)
            return wire.respond(*_failed(refusal))
        await asyncio.sleep(self.delay)
        return web.Response(body=kept.data, content_type="application/octet-stream")


def _failed(refusal: Refusal) -> tuple[int, dict]:
    body = {"ok": False, "error_code": refusal.code, "description": refusal.description}
    return refusal.code, body | ({"parameters": refusal.parameters} if refusal.parameters else {})


def _known(method: str) -> str:
    if method.lower() not in NAMES:
        raise AssertionError(f"the server has no method {method!r}")
    return NAMES[method.lower()]


def _bot(token: str) -> dict:
    return {
        "id": int(token.split(":")[0]),
        "is_bot": True,
        "first_name": "YouSaid",
        "username": "yousaid_test_bot",
        "can_join_groups": False,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
