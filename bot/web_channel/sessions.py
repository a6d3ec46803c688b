"""Who looks at the page: cookies, and proof that a form was sent from our own page (CSRF)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from bot.web_channel.channel import WebChannel, root_of, web_of
from conversations.roles import STAFF_ROLES
from data.factors import find_factor
from data.people import Person
from data.sessions import (
    SESSION_AGE,
    find_session,
    person_of_session,
    renew_session,
    start_session,
    touch_session,
    unlock_session,
)

SAFE_SITES = ("same-origin", "none")


@dataclass(frozen=True)
class Visitor:
    """Somebody who joined, in this browser. `new`: the cookie goes out with this answer.

    `can_lock`: it can be opened again after it was locked.
    """

    person: Person
    key: str = field(repr=False)
    secret: str = field(repr=False)
    new: bool = False
    can_lock: bool = False


@dataclass(frozen=True)
class Locked:
    """A member of staff who was away for a while, in this browser."""

    person: Person
    has_app: bool
    secret: str = field(repr=False)


async def visitor_of(request: Request, used: bool = True) -> Visitor | None:
    """Who this browser belongs to. `used`: somebody sits before it, which a page that asks for news does not show."""
    web, secret = web_of(request), request.cookies.get(cookie_name(request, "yousaid"), "")
    async with web.db.reading() as tx:
        found = await find_session(tx, secret, web.now) if secret else None
        if found and found.locked and web.demo is None:
            has_app = await find_factor(tx, found.person.id) is not None
            request.state.locked = Locked(found.person, has_app, secret)
            return None
    if found and found.touch and used:
        async with web.db.transaction() as tx:
            await touch_session(tx, secret, web.now)
    if found is None:
        return None
    return Visitor(found.person, web.db.vault.lookup("replies", secret), secret, can_lock=not found.by_link)


def locked_here(request: Request) -> Locked | None:
    """The session of this browser that waits to be opened again, once `visitor_of` has found no visitor."""
    return getattr(request.state, "locked", None)


async def visitor_or_demo(request: Request) -> Visitor | None:
    """The same; in the demo the phone's person, signed in at the first look."""
    web, visitor = web_of(request), await visitor_of(request)
    if visitor or web.demo is None:
        return visitor
    async with web.db.transaction() as tx:
        secret = await start_session(tx, web.demo.person, web.now)
        person = await person_of_session(tx, secret, web.now)
    return Visitor(person, web.db.vault.lookup("replies", secret), secret, new=True) if person else None


def cookie_name(request: Request, name: str) -> str:
    """`__Host-` where the address is https; in the demo each phone has a name of its own."""
    web = web_of(request)
    if web.demo:
        return f"{name}-demo{root_of(request).replace('/', '-')}"
    return f"__Host-{name}" if web.secure else name


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int | None) -> None:
    secure = web_of(request).secure
    path = "/" if secure else root_of(request) or "/"
    named = cookie_name(request, name)
    response.set_cookie(named, value, max_age=seconds, path=path, secure=secure, httponly=True, samesite="lax")


def remember(request: Request, response: Response, secret: str) -> None:
    """The session's cookie goes out with this response."""
    set_cookie(request, response, "yousaid", secret, int(SESSION_AGE.total_seconds()))


def hand_out(request: Request, response: Response, visitor: Visitor, fresh: str) -> None:
    """The same browser goes on with a fresh secret, and with what was said to it last."""
    web = web_of(request)
    web.replies.move(visitor.key, web.db.vault.lookup("replies", fresh))
    remember(request, response, fresh)


async def renew(request: Request, response: Response, visitor: Visitor) -> None:
    """New rights, a new secret: what somebody saw or planted before opens nothing of them (fixation).

    The eight hours of somebody who becomes staff begin only now.
    """
    web, was_staff = web_of(request), visitor.person.roles & set(STAFF_ROLES)
    async with web.db.transaction() as tx:
        fresh = await (renew_session if was_staff else unlock_session)(tx, visitor.secret, web.now)
    hand_out(request, response, visitor, fresh)


def forget(request: Request, response: Response) -> None:
    """The browser forgets that it was signed in, and all it kept of our pages; the demo's phones share an address."""
    web = web_of(request)
    path = "/" if web.secure else root_of(request) or "/"
    response.delete_cookie(cookie_name(request, "yousaid"), path=path, secure=web.secure, httponly=True, samesite="lax")
    if web.demo is None:
        response.headers["clear-site-data"] = '"cache", "cookies", "storage"'


# --- forms --------------------------------------------------------------------------------------------------------


def csrf_of(web: WebChannel, secret: str) -> str:
    """The proof that belongs to a cookie; only our own pages carry it."""
    return web.db.vault.lookup("csrf", secret)


def stranger_secret(request: Request) -> str:
    """The random cookie that guards forms of people who have not joined; a fresh one if there is none."""
    return request.cookies.get(cookie_name(request, "yousaid-form"), "") or secrets.token_urlsafe(16)


def guard_stranger(request: Request, response: Response, secret: str) -> None:
    set_cookie(request, response, "yousaid-form", secret, None)


def genuine(request: Request, form: dict[str, str], secret: str) -> bool:
    """Whether this POST comes from a page of ours in this browser."""
    if not _same_site(request) or not secret:
        return False
    proofs = web_of(request).db.vault.lookups("csrf", secret)  # a page drawn before the key changed counts too
    return any(hmac.compare_digest(form.get("csrf", "").encode(), proof.encode()) for proof in proofs)


def genuine_stranger(request: Request, form: dict[str, str]) -> bool:
    return genuine(request, form, request.cookies.get(cookie_name(request, "yousaid-form"), ""))


def _same_site(request: Request) -> bool:
    """What the browser itself says about where the form came from, if it says anything.

    Origin is "null" on our own forms, because we send no referrer; then Sec-Fetch-Site and the token decide.
    """
    if request.headers.get("sec-fetch-site", "none") not in SAFE_SITES:
        return False
    origin = request.headers.get("origin", "null")
    ours = (request.headers.get("host", ""), urlsplit(web_of(request).house.web_address).netloc)
    return origin == "null" or urlsplit(origin).netloc in ours


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form as text; files and repeats are left out."""
    form: FormData = await request.form(max_files=0, max_fields=20)
    return {name: value for name, value in form.items() if isinstance(value, str)}
