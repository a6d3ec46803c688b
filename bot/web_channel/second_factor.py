"""The second factor of staff: six digits of an authenticator app before names and answers are shown (trust A4.5)."""

from __future__ import annotations

import base64
import hmac
import io
import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pyotp
import segno
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.web_channel.channel import WebChannel, root_of, web_of
from bot.web_channel.sessions import Visitor, hand_out
from data.database import Tx
from data.factors import Factor, note_wrong_digits, use_step
from data.sessions import is_proved, renew_session

COUNTS_FOR = timedelta(minutes=10)
STEP = 30  # seconds
DRIFT = 1  # steps that a phone's clock may be early or late
_OWN = re.compile(r"/[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_=&-]*)?")


async def proved(request: Request, visitor: Visitor) -> bool:
    """Whether this browser gave a second factor within the last ten minutes. The demo's phones need none."""
    web = web_of(request)
    if web.demo:
        return True
    async with web.db.reading() as tx:
        return await is_proved(tx, visitor.secret, web.now)


def ask_factor(request: Request, back: str) -> Response:
    """To the page that asks for the digits, and from there to `back`, which is one of our own pages."""
    return RedirectResponse(f"{root_of(request)}/factor?back={quote(own_path(back), safe='')}", 303)


def own_path(typed: str) -> str:
    """The path if it can only be one of ours; else the start page. Nobody is led to another site by our link."""
    return typed if _OWN.fullmatch(typed) else "/me"


async def let_through(request: Request, tx: Tx, visitor: Visitor) -> Response:
    """Back to the page that asked, with a fresh session that counts as proved for ten minutes."""
    web = web_of(request)
    secret = await renew_session(tx, visitor.secret, web.now, proved_until=web.now + COUNTS_FOR)
    response = RedirectResponse(root_of(request) + own_path(request.query_params.get("back", "")), 303)
    hand_out(request, response, visitor, secret)
    return response


# --- digits -------------------------------------------------------------------------------------------------------


def step_of(secret: str, typed: str, now: datetime, after: int = -1) -> int | None:
    """The half minute whose code this is, if it lies close to now and after the last one used."""
    digits = "".join(typed.split())
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    code, here = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    for step in range(here - DRIFT, here + DRIFT + 1):
        if hmac.compare_digest(code.generate_otp(step), digits) and step > after:
            return step
    return None


async def take_digits(tx: Tx, person: str, factor: Factor, typed: str, now: datetime) -> bool:
    """Whether these digits are right, and not used before. Wrong ones are counted."""
    if factor.waits(now):
        return False
    step = step_of(factor.secret, typed, now, factor.last_step)
    if step is None:
        await note_wrong_digits(tx, person, now)
        return False
    await use_step(tx, person, step)
    return True


# --- setting it up ------------------------------------------------------------------------------------------------


def offered_secret(web: WebChannel, visitor: Visitor) -> str:
    """What this browser offers to an authenticator app. It follows from the session, so that looking keeps nothing."""
    hashed = web.db.vault.lookup("factor", f"{visitor.person.id}/{visitor.secret}")
    return base64.b32encode(bytes.fromhex(hashed)[:20]).decode()


def picture_of(web: WebChannel, secret: str) -> bytes:
    """The picture an authenticator app scans, black on white whatever the page's colours, as SVG."""
    address = pyotp.TOTP(secret).provisioning_uri(name=web.house.school.name, issuer_name="YouSaid")
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", scale=6, border=4, dark="#000", light="#fff")
    return out.getvalue()


def in_groups(secret: str) -> str:
    """Four letters and four letters, for typing."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
