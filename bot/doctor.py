"""`yousaid doctor`: looks at all that a running bot needs, and says in plain words what is wrong and what mends it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.backup_health import look_at_backups
from bot.calendar_health import look_at_calendar
from bot.cli.links import remember_bot_name
from bot.cli.telegram_me import Me, ask_me
from bot.doctor_database import disk, look_at_database
from bot.facts import House
from bot.findings import BROKEN, LOOK, OK, Finding
from bot.gaps import gaps
from bot.house import box_keys, read_vault, shares_folder
from bot.keeping_health import look_at_keeping
from bot.our_bot import OTHER_BOT, WEBHOOK, last_sharing, same_bot, token_trouble
from bot.settings import Settings, SettingsProblem, read_settings, unknown_names
from conversations.texts import load_texts
from data.alerts import open_alerts, steps_of
from data.audit_check import check_log
from data.counting import count_checks
from data.database import Database, DatabaseProblem, Tx, is_empty, read_fact
from data.lock import run_lock
from data.outbox import stuck_since
from data.people import people_with_role
from data.queue import find_item, queue_size
from data.rotation import check_ring
from data.school import School, load_school
from data.surveys import all_surveys
from data.vault import DamagedKey, KeyProblem, Vault
from scheduler.ladder import RUNGS, TESTED, wants_any_hour

QUEUE_OLD = timedelta(days=1)
CLOCK_OFF = timedelta(minutes=2)


def as_text(findings: Iterable[Finding]) -> str:
    """One line each, the remedy under it; the last line sums up."""
    lines, states = [], []
    for f in findings:
        states.append(f.state)
        lines.append(f"{f.state:<7} {f.check}: {f.says}")
        lines += [f"        -> {f.remedy}"] if f.remedy else []
    broken, look = states.count(BROKEN), states.count(LOOK)
    return "\n".join([*lines, f"{broken} broken, {look} to look at, {states.count(OK)} ok."])


def in_json(findings: Iterable[Finding]) -> str:
    rows = [asdict(f) for f in findings]
    return json.dumps({"ok": all(r["state"] != BROKEN for r in rows), "checks": rows}, ensure_ascii=False, indent=2)


async def examine(now: datetime) -> list[Finding]:
    """Everything, in the order in which it is best mended."""
    found = [_python()]
    try:
        unknown = unknown_names()
        found += _names(unknown)
        settings = read_settings() if not unknown else Settings()
    except SettingsProblem as problem:
        return [*found, Finding("settings", BROKEN, str(problem), "Mend it in the environment or in .env.")]
    except ValueError:
        return [*found, Finding("settings", BROKEN, "a setting has a wrong value", "Mend the unknown names first.")]
    telegram, date = await asyncio.gather(_me(settings), _date_at(settings))
    found += [_clock(now, date), *_telegram(settings, telegram)]
    found += await _stored(settings, telegram, now)
    return [*found, await _port(settings), _public(settings), disk(settings), _languages()]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info >= (3, 11)
    return Finding("python", OK if fine else BROKEN, version, "" if fine else "Install Python 3.11 or later.")


def _names(unknown: list[str]) -> list[Finding]:
    if not unknown:
        return [Finding("settings", OK, "every name is known")]
    return [Finding("settings", BROKEN, line, "Mend the name in the environment or in .env.") for line in unknown]


# --- key and database ---------------------------------------------------------------------------------------------


async def _stored(settings: Settings, telegram: Me | None, now: datetime) -> list[Finding]:
    """Key, file and what is in it; each only where the one before is sound."""
    try:
        vault = read_vault(settings)
    except KeyProblem as problem:
        return [Finding("key", BROKEN, str(problem), await _key_remedy(settings, problem))]
    found = [_key(vault), _folder(settings)]
    file = await look_at_database(settings, vault)
    found += file
    if any(f.state == BROKEN for f in file):
        return found
    db = Database(settings.database, vault, box_keys(settings))
    try:
        writable = all(f.state == OK for f in file)
        return found + await _inside(db, settings, telegram if writable else None, now)
    except (DatabaseProblem, KeyProblem) as problem:
        return [*found, Finding("database", BROKEN, str(problem))]
    finally:
        await db.close()


async def _key_remedy(settings: Settings, problem: KeyProblem) -> str:
    """By what is wrong: rights, what is in the file, or no file; a school that is there needs its own key."""
    path = settings.key_file
    if settings.key is not None:
        return "Set YOUSAID_KEY right where it is kept, and start the bot again."
    if path.exists() and not isinstance(problem, DamagedKey):
        return f"chmod 600 {path}, and chown it to the account that runs YouSaid."
    try:
        new = not path.exists() and await is_empty(settings.database)
    except DatabaseProblem:
        new = False
    return "yousaid setup; or, where there was a school before, yousaid key restore" if new else "yousaid key restore"


def _key(vault: Vault) -> Finding:
    if vault.older:
        says = "a change of keys is not finished: there are two"
        return Finding("key", LOOK, says, "yousaid key rotate")
    return Finding("key", OK, "there, and readable by its owner only")


def _folder(settings: Settings) -> Finding:
    if shares_folder(settings):
        return Finding(
            "key folder",
            LOOK,
            f"key and database share {settings.key_folder}: whoever copies one has the other",
            "Move the key elsewhere and set YOUSAID_KEY_FILE.",
        )
    folder = settings.key_folder
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        says = f"nothing can be written in {folder}: no box can be opened, and no key changed"
        return Finding(
            "key folder", BROKEN, says, f"chown it to the account that runs YouSaid, then: chmod 700 {folder}"
        )
    if folder.is_dir() and os.stat(folder).st_mode & 0o022:
        return Finding("key folder", LOOK, f"others can write to {folder}", f"chmod 700 {folder}")
    return Finding("key folder", OK, "apart from the database")


async def _inside(db: Database, settings: Settings, telegram: Me | None, now: datetime) -> list[Finding]:
    bot: list[Finding] = []
    if telegram and telegram.name:
        async with db.transaction() as tx:
            await remember_bot_name(tx, telegram.name)
            bot = await _same(tx, telegram)
    async with db.reading() as tx:
        await check_ring(tx)
        school = await load_school(tx)
        if school is None:
            return [Finding("school", BROKEN, "no school is set up in this database", "yousaid setup")]
        looks: list[Callable[[], Awaitable[Finding]]] = [
            lambda: _team(tx, school),
            lambda: _ladder(tx, House(school, load_texts()), now),
            lambda: _at_any_hour(tx, school),
            lambda: _alerts(tx, now),
            lambda: _test_alert(tx),
            lambda: _queue(tx, now),
            lambda: _outbox(tx, settings, now),
            lambda: _boxes(tx),
            lambda: _forms(tx),
            lambda: _audit(tx),
            lambda: _counts(tx),
            lambda: look_at_calendar(tx, school, now),
        ]
        about = [Finding("school", OK, school.name), _zone(school, now), *bot, *await _token(tx, school, now)]
        return (
            about
            + [await look() for look in looks]
            + [
                *await look_at_keeping(db, school, now),
                *await look_at_backups(tx, now),
            ]
        )


async def _same(tx: Tx, telegram: Me) -> list[Finding]:
    """Whether this is the bot that setup heard of (B16): what stands in the letters of families."""
    expected = await same_bot(tx, telegram.identity) if telegram.identity else None
    if expected is None or telegram.identity is None:
        return []
    now, remedy = telegram.identity, "If you changed it: yousaid setup --from school.yaml. If not: see @BotFather now."
    if (now.id, now.username) != (expected.id, expected.username):
        says = f"this token is of @{now.username}, number {now.id}; setup knew @{expected.username}, {expected.id}"
        return [Finding("our bot", BROKEN, says, remedy)]
    return [Finding("our bot", LOOK, f"it is called {now.name!r} now; setup knew {expected.name!r}", remedy)]


async def _token(tx: Tx, school: School, now: datetime) -> list[Finding]:
    """Whether our token can be used (B16), and whether somebody else used it (B6)."""
    shared, trouble = await last_sharing(tx, now), await token_trouble(tx)
    if trouble:
        why = "belongs to another bot" if trouble.how == OTHER_BOT else "is not known to Telegram"
        says = f"the token in the settings {why}, seen on {trouble.at.astimezone(school.zone):%d %B, %H:%M}"
        return [Finding("token", BROKEN, says, "Put the right one from @BotFather in .env; the bot takes it up.")]
    if shared is None:
        return []
    how = "told Telegram to send its messages elsewhere" if shared.how == WEBHOOK else "fetched the bot's messages"
    says = f"another program {how}, last on {shared.at.astimezone(school.zone):%d %B, %H:%M}"
    remedy = "If that was not you: /revoke in @BotFather, then put the new token in .env; the bot takes it up."
    return [Finding("token", BROKEN, says, remedy)]


def _zone(school: School, now: datetime) -> Finding:
    try:
        return Finding("time zone", OK, f"{school.timezone}, now {now.astimezone(school.zone):%H:%M}")
    except (KeyError, OSError):
        return Finding("time zone", BROKEN, f"no data for {school.timezone}", "pip install tzdata")


async def _team(tx: Tx, school: School) -> Finding:
    names = {"dsl": school.people.dsl, "deputy": school.people.deputy_dsl}
    missing = [role for role in names if not await people_with_role(tx, role)]
    if not missing:
        return Finding("safeguarding", OK, "DSL and deputy have joined")
    who = " and ".join(f"{names[role]} ({role})" for role in missing)
    verb = "has" if len(missing) == 1 else "have"
    says = f"{who} {verb} not joined: forms with words cannot be sent, and alerts reach nobody there"
    return Finding("safeguarding", LOOK, says, f"yousaid invite --role {missing[0]}")


async def _ladder(tx: Tx, house: House, now: datetime) -> Finding:
    """Who of DSL, deputy, head and chair gets no alerts now (SAFE-9)."""
    lines = await gaps(tx, house, "en", now)
    if not lines:
        return Finding("ladder", OK, "alerts reach DSL, deputy, head and chair")
    remedy = "Invite who has not joined; who cannot be reached writes /start to the bot."
    return Finding("ladder", LOOK, " ".join(lines), remedy)


async def _at_any_hour(tx: Tx, school: School) -> Finding:
    """Whether anybody hears at night and at weekends of what cannot wait (SAFE-5)."""
    holders = [(role, person) for role in RUNGS for person in await people_with_role(tx, role)]
    awake = [role for role, person in holders if await wants_any_hour(tx, school, role, person)]
    if awake or not holders:
        who = f"the {awake[0]} is alerted outside office hours too" if awake else "nobody has joined yet"
        return Finding("at any hour", OK, who)
    says = "nobody is alerted outside office hours: what is written on a Friday evening waits until the next weekday"
    return Finding("at any hour", LOOK, says, "The DSL, deputy or head taps Alert me at any hour under /queue.")


async def _alerts(tx: Tx, now: datetime) -> Finding:
    """Urgent items that nobody has tapped."""
    waiting = await open_alerts(tx)
    if not waiting:
        return Finding("alerts", OK, "every alert was seen")
    oldest = min([item.came_at for alert in waiting if (item := await find_item(tx, alert.item))])
    says = f"{len(waiting)} not seen by anybody, the oldest for {_age(now - oldest)}"
    return Finding("alerts", LOOK, says, "The DSL, deputy or head opens /queue.")


async def _test_alert(tx: Tx) -> Finding:
    """Whether the alerts of this month's test were tapped."""
    month = await read_fact(tx, TESTED)
    if month is None:
        return Finding("test alert", OK, "the first goes out in the next office hours")
    steps = await steps_of(tx, f"test-{month.decode()}")
    sent, seen = ({s.person for s in steps if s.what == what} for what in ("alerted", "acknowledged"))
    says = f"{month.decode()}: {len(seen)} of {len(sent)} tapped it"
    return Finding("test alert", OK if seen >= sent else LOOK, says, "" if seen >= sent else "Ask those who did not.")


async def _queue(tx: Tx, now: datetime) -> Finding:
    size, oldest = await queue_size(tx)
    if not oldest:
        return Finding("queue", OK, "nothing waits to be read")
    state = LOOK if now - oldest > QUEUE_OLD else OK
    says = f"{size} to read, the oldest for {_age(now - oldest)}"
    return Finding("queue", state, says, "The DSL or deputy opens /queue." if state == LOOK else "")


async def _outbox(tx: Tx, settings: Settings, now: datetime) -> Finding:
    since = await stuck_since(tx, now)
    if since is None:
        return Finding("messages", OK, "nothing is late")
    remedy = "yousaid run" if not await _bot_runs(settings) else "Look into the bot's log."
    return Finding("messages", LOOK, f"some should have gone out {_age(now - since)} ago", remedy)


async def _boxes(tx: Tx) -> Finding:
    boxes = [s.id for s in await all_surveys(tx, "open") if s.mode == "ANON"]
    lost = [id for id in boxes if tx.boxes.read(id) is None]
    if not lost:
        return Finding("ballot boxes", OK, f"{len(boxes)} open, each with its key")
    says = f"the keys of {', '.join(lost)} are not in {tx.boxes.folder}: these answers cannot be read"
    return Finding("ballot boxes", BROKEN, says, f"Put the folder back, or end it: yousaid close {lost[0]}")


async def _audit(tx: Tx) -> Finding:
    """Whether the log of who did what is whole; its head is shown, to be noted elsewhere (AUDIT-1)."""
    found = await check_log(tx)
    if not found.problems:
        return Finding("audit log", OK, f"{found.rows} rows, none changed or missing; head {found.short_head}")
    return Finding("audit log", BROKEN, found.problems[0], "Keep a copy, tell the school, then: yousaid audit verify")


async def _counts(tx: Tx) -> Finding:
    """Whether every answer sheet belongs to somebody who took part (AUDIT-1)."""
    found = await count_checks(tx)
    wrong = [id for id, check in found.items() if not check.holds]
    if not wrong:
        return Finding("counts", OK, f"sheets and people agree in {len(found)} closed surveys")
    says = f"sheets and people do not agree in {', '.join(wrong)}"
    return Finding("counts", BROKEN, says, f"Keep a copy, tell the school, then: yousaid survey show {wrong[0]}")


async def _forms(tx: Tx) -> Finding:
    from conversations.form import FormError
    from data.forms import all_forms

    try:
        return Finding("forms", OK, f"{len(await all_forms(tx))} can be played")
    except FormError as error:
        return Finding("forms", BROKEN, error.lines[0], "yousaid form check FILE, then yousaid form add FILE")


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))  # with a clock that went back
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


# --- the machine and the world ------------------------------------------------------------------------------------


def _clock(now: datetime, date: datetime | None) -> Finding:
    if date and abs(now - date) > CLOCK_OFF:
        says = f"it differs from Telegram's by {_age(abs(now - date))}"
        return Finding("clock", BROKEN, says, "Switch on time synchronisation: timedatectl set-ntp true")
    if not 2025 < now.year < 2100:
        return Finding("clock", BROKEN, f"it says {now:%Y-%m-%d}", "timedatectl set-ntp true")
    return Finding("clock", OK, f"{now:%Y-%m-%d %H:%M} UTC")


async def _me(settings: Settings) -> Me | None:
    return await ask_me(settings) if settings.telegram_token else None


async def _date_at(settings: Settings) -> datetime | None:
    """The time of day as Telegram's server says it, asked without the token; None when it cannot be had."""
    if settings.telegram_token is None:
        return None
    import aiohttp

    patience = aiohttp.ClientTimeout(total=2.5)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience, proxy=_proxy(settings)) as session,
            session.head(settings.telegram_api, allow_redirects=False, ssl=_trusted(settings)) as response,
        ):
            return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (aiohttp.ClientError, TimeoutError, OSError, KeyError, ValueError):
        return None


def _proxy(settings: Settings) -> str | None:
    return settings.proxy.get_secret_value() if settings.proxy else None


def _trusted(settings: Settings) -> ssl.SSLContext | bool:
    from bot.telegram_channel.connecting import trusted

    return trusted(settings) or True


def _telegram(settings: Settings, me: Me | None) -> Iterator[Finding]:
    if me is None:
        yield Finding("telegram", LOOK, "off: only the web page works", "Set YOUSAID_TELEGRAM_TOKEN from @BotFather.")
    elif me.trouble == "refused":
        remedy = "Copy YOUSAID_TELEGRAM_TOKEN from @BotFather again."
        yield Finding("telegram", BROKEN, "Telegram does not know this token", remedy)
    elif me.trouble:
        by = " through YOUSAID_PROXY" if settings.proxy else ""
        remedy = "Check the proxy, and YOUSAID_CA_FILE." if settings.proxy or settings.ca_file else "Check the network."
        yield Finding("telegram", LOOK, f"{settings.telegram_api} could not be reached{by}", remedy)
    else:
        yield Finding("telegram", OK, f"@{me.name}")
        yield from _bot_options(me, settings.telegram_mode == "webhook")


def _bot_options(me: Me, hooked: bool) -> Iterator[Finding]:
    if me.webhook and not hooked:
        says = "a webhook is set, so polling gets nothing"
        yield Finding("webhook", BROKEN, says, "yousaid run removes it; stop whatever sets it again.")
    if hooked and not me.webhook:
        says = "no webhook is set, so nothing arrives; it is set when the bot runs"
        yield Finding("webhook", LOOK, says, "Start the bot: yousaid run. See docs/sending.md.")
    if me.joins_groups:
        says = "anybody can add the bot to a group"
        yield Finding("groups", LOOK, says, "In @BotFather: /setjoingroups, choose the bot, Disable.")
    if me.reads_groups:
        says = "in a group it would get everything that is said there"
        yield Finding("privacy", LOOK, says, "In @BotFather: /setprivacy, choose the bot, Enable.")
    if me.inline:
        says = "it can be called from any chat by its name"
        yield Finding("inline", LOOK, says, "In @BotFather: /setinline, choose the bot, /empty.")
    if me.guests:
        says = "it can be spoken to in chats that it is not in"
        yield Finding("guests", LOOK, says, "In @BotFather: Bot Settings, switch guest mode off.")


async def _port(settings: Settings) -> Finding:
    try:
        with socket.create_server((settings.host, settings.port), reuse_port=False):
            return Finding("address", OK, f"{settings.listen} is free")
    except OSError:
        if await _bot_runs(settings):
            return Finding("address", OK, f"{settings.listen} is used by the running bot")
    remedy = "Stop the other program, or set YOUSAID_LISTEN."
    return Finding("address", BROKEN, f"{settings.listen} is used by another program", remedy)


async def _bot_runs(settings: Settings) -> bool:
    try:
        return await run_lock(settings.database).held_elsewhere()
    except (OSError, DatabaseProblem):
        return False


def _public(settings: Settings) -> Finding:
    if settings.public_url:
        return Finding("web links", OK, settings.public_url)
    says = "YOUSAID_PUBLIC_URL is not set: web links open only on the school's machine"
    return Finding("web links", LOOK, says, "Set it to the address families see, if they are to use the web page.")


def _languages() -> Finding:
    from conversations.texts import load_texts

    try:
        return Finding("languages", OK, ", ".join(load_texts().languages))
    except (OSError, ValueError, KeyError) as error:
        return Finding("languages", BROKEN, f"a file cannot be read ({type(error).__name__})", "Install again.")
