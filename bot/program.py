"""`yousaid run`: Telegram, the web channel and the clock in one process, started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Mapping

from telegram.error import InvalidToken, TelegramError

from bot.dialogue import Dialogue
from bot.house import Opened, opened_school
from bot.letters import Letters
from bot.our_bot import token_is_right
from bot.sending_later import planned_sender
from bot.serving import WebServer
from bot.settings import Settings
from bot.telegram_channel import application as telegram
from bot.telegram_channel.channel import NAME, TelegramChannel
from bot.telegram_channel.intake import App
from bot.telegram_channel.limiter import LETTER
from bot.telegram_channel.token_watch import TokenWatch
from bot.telegram_channel.webhook import PATH
from conversations.channel import Channel
from conversations.screening import load_lexicon
from data.answers import destroy_spent_keys
from data.backup import program_version
from data.backup_facts import PROGRAM
from data.database import write_fact
from data.delivery import look_again
from data.lock import RunLock, jobs_lock, run_lock
from data.outbox import free_claims, new_owner
from data.problems import DatabaseProblem
from data.scratch import clean
from data.tombstone_mirror import agree
from scheduler.clock import Timekeeper, make_clock, now_utc
from scheduler.sending import Sender

log = logging.getLogger(__name__)

TAKE_OVER = 1.0  # seconds between tries to keep the time, while another process does
REACH_AGAIN = 5.0  # seconds between tries to reach Telegram at the start


class CannotRun(Exception):
    """The program cannot start; one line that names the remedy."""


async def run(settings: Settings) -> None:
    """Run until a signal, which may come while starting; CannotRun and other problems in one line."""
    running = asyncio.create_task(_run_alone(settings))
    _end_on_signal(running)
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _end_on_signal(running: asyncio.Task[None]) -> None:
    """The first signal ends it in good order; a second one does not disturb that."""

    def end() -> None:
        if not running.cancelling():
            running.cancel()

    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, end)


async def _run_alone(settings: Settings) -> None:
    lock = run_lock(settings.database, shared=settings.telegram_mode == "webhook")
    async with opened_school(settings) as opened:
        if not await lock.acquire():
            raise CannotRun(f"A bot runs on {settings.database} already. Stop it first.")
        jobs = [asyncio.create_task(_run(settings, opened)), asyncio.create_task(_alone(lock))]
        try:
            await _until_one_ends(jobs)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await lock.release()


async def _alone(lock: RunLock) -> None:
    """Never returns; two bots on one database would say everything twice."""
    await lock.taken_over()
    raise CannotRun("Another bot works on this database now, so this one has stopped.")


async def _run(settings: Settings, opened: Opened) -> None:
    await asyncio.to_thread(load_lexicon, "en")
    await _forgotten_stays_forgotten(opened)
    await destroy_spent_keys(opened.db)
    await asyncio.to_thread(clean, settings.backups_folder)
    owner = new_owner()
    async with opened.db.transaction() as tx:
        await write_fact(tx, PROGRAM, program_version().encode())
    dialogue = Dialogue(opened.db, opened.house, now_utc)
    _collect_seldom()
    if settings.telegram_token is None:
        log.warning("YOUSAID_TELEGRAM_TOKEN is not set: Telegram is off, the web page works.")
        return await _serve(settings, opened, dialogue, owner, None)
    application = telegram.make_application(settings)
    try:
        await _serve(settings, opened, dialogue, owner, application)
    finally:
        await telegram.close(application)


def _collect_seldom() -> None:
    """What is loaded now stays: to look for garbage in it took a fifth of the work of every tap (`make bench`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # a tap makes some thousand objects, and nearly all go by themselves


async def _forgotten_stays_forgotten(opened: Opened) -> None:
    """Before anybody can see anything: an older database that was put in place loses again what had gone (A4.3)."""
    again = await agree(opened.db, now_utc())
    if again is not None:
        found = ", ".join(f"{n} {kind}" for kind, n in again.items()) or "nothing"
        log.warning("An older database was put in place. Deleted again: %s. Use `yousaid restore` next time.", found)


async def _reach(application: App) -> None:
    """Wait until Telegram answers: after a power cut the school's line may come back later than its server."""
    while True:
        try:
            await application.bot.initialize()
            return
        except InvalidToken:
            await telegram.token_of(application).usable.wait()
        except TelegramError as error:
            log.warning("Telegram cannot be reached, trying again: %s", type(error).__name__)
            await asyncio.sleep(REACH_AGAIN)


async def _remember_name(opened: Opened, application: App) -> None:
    async with opened.db.transaction() as tx:
        await token_is_right(tx)
        await write_fact(tx, telegram.BOT_NAME, (application.bot.username or "").encode())


async def _serve(settings: Settings, opened: Opened, dialogue: Dialogue, owner: str, application: App | None) -> None:
    """Everything at once, until it is cancelled or one of them ends with an error."""
    channel = TelegramChannel(application.bot, up=False, lane=LETTER) if application else None
    channels: Mapping[str, Channel] = {NAME: channel} if channel else {}
    letters = Letters(opened.db, opened.house)
    sender = Sender(opened.db, opened.house.school, letters.compose, channels, owner, now_utc)
    planned, backups = planned_sender(opened.house), settings.backups_folder
    clock = make_clock(opened.db, opened.house.school, sender, backups=backups, send_planned=planned)
    web = WebServer(settings, dialogue, letters)
    clock.start(paused=True)
    jobs = [asyncio.create_task(web.serve()), asyncio.create_task(_keep_time(settings, opened, clock, owner))]
    if application and channel:
        watch = TokenWatch(settings, telegram.token_of(application), opened.db, now_utc)
        talking = (
            _talk(opened, dialogue, application, channel, _hook(settings, opened, web, application)),
            watch.run(),
        )
        jobs += [asyncio.create_task(one) for one in talking]
    print(f"{opened.house.school.name}: {settings.web_address}", flush=True)
    try:
        await _until_one_ends(jobs)
    finally:
        clock.shutdown(wait=False)
        web.stop()
        for job in jobs[1:]:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def _keep_time(settings: Settings, opened: Opened, clock: Timekeeper, owner: str) -> None:
    """The jobs run in one process at a time; when it dies, another takes over within seconds, with what was claimed."""
    lock = jobs_lock(settings.database)
    try:
        while True:
            await _until_ours(lock, opened, owner)
            clock.resume()
            await lock.taken_over()
            clock.pause()
            log.warning("another process keeps the time now")
    finally:
        await lock.release()


async def _until_ours(lock: RunLock, opened: Opened, owner: str) -> None:
    while True:
        try:
            if await lock.acquire():
                async with opened.db.transaction() as tx:
                    await free_claims(tx, owner)
                    await look_again(tx, now_utc())
                return
        except DatabaseProblem as problem:
            log.error("%s", problem)
        await asyncio.sleep(TAKE_OVER)


def _hook(settings: Settings, opened: Opened, web: WebServer, application: App) -> telegram.Hook | None:
    """In webhook mode where Telegram comes to, and the secrets it may say: the set one, or one made from our keys."""
    if settings.telegram_mode != "webhook":
        return None
    given, token = settings.telegram_secret, telegram.token_of(application)

    def secrets() -> tuple[str, ...]:
        return (given.get_secret_value(),) if given else opened.db.vault.lookups("telegram-webhook", token.value)

    return telegram.Hook(settings.web_address + PATH, secrets, web.take_updates)


async def _talk(
    opened: Opened, dialogue: Dialogue, application: App, channel: TelegramChannel, hook: telegram.Hook | None
) -> None:
    """Telegram, from when it can be reached; the page and the clock do not wait for it."""
    await _reach(application)
    async with telegram.running(application):
        await _remember_name(opened, application)
        channel.up = True
        print(f"@{application.bot.username} on Telegram", flush=True)
        if hook is None:
            await telegram.end_webhook(application, opened.house.web_address + PATH)
        await telegram.serve(application, dialogue, hook)


async def _until_one_ends(jobs: list[asyncio.Task[None]]) -> None:
    done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    for job in done:
        job.result()  # raises what ended it
