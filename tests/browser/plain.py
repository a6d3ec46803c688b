"""A browser without JavaScript: keeps cookies, reads the forms of a page, presses buttons by their label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
from starlette.types import ASGIApp

SITE = "http://127.0.0.1:8080"


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """The forms and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.headings: list[str] = []
        self._in: list[str] = []
        self._writes = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append(Form(has.get("action", ""), has.get("method", "get")))
        elif tag in ("input", "textarea") and self.forms and "name" in has and self._is_sent(has):
            self.forms[-1].fields[has["name"]] = has.get("value", "")
        elif tag == "button" and has.get("type") == "button":
            tag = "script"  # does something only with JavaScript
        elif tag == "button":
            self.forms[-1].buttons.append(has | {"label": ""})
        self._writes = has.get("name", "") if tag == "textarea" else ""
        if tag not in ("input", "meta", "link", "hr", "img"):
            self._in.append(tag)

    @staticmethod
    def _is_sent(has: dict[str, str]) -> bool:
        return has.get("type") not in ("radio", "checkbox") or "checked" in has

    def handle_endtag(self, tag: str) -> None:
        if tag in self._in:
            while self._in.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._in[-1:] == ["textarea"] and self._writes:
            self.forms[-1].fields[self._writes] += data
        if self._in[-1:] == ["button"]:
            self.forms[-1].buttons[-1]["label"] += data.strip()
        if "h1" in self._in:
            self.headings.append(data.strip())
        if "main" in self._in and data.strip():
            self.words.append(data.strip())

    @property
    def labels(self) -> list[str]:
        return [b["label"] for f in self.forms for b in f.buttons]

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    def form_with(self, label: str) -> tuple[Form, dict[str, str]]:
        found = [(f, b) for f in self.forms for b in f.buttons if b["label"] == label]
        assert found, f"no button {label!r} among {self.labels}"
        return found[0]


class PlainBrowser:
    """One person's browser. `answer` is the last response, after redirects."""

    def __init__(self, app: ASGIApp) -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url=SITE, follow_redirects=True)
        self.answer = httpx.Response(200)

    @property
    def page(self) -> Page:
        return Page(self.answer.text)

    async def open(self, path: str) -> Page:
        self.answer = await self.http.get(path)
        return self.page

    def sending(self, label: str, **changed: str) -> tuple[str, dict[str, str]]:
        """Address and fields that pressing this button would send."""
        form, button = self.page.form_with(label)
        fields = form.fields | ({button["name"]: button["value"]} if "name" in button else {}) | changed
        return urljoin(str(self.answer.url), form.action), fields

    async def press(self, *labels: str, **changed: str) -> Page:
        for label in labels:
            form, _ = self.page.form_with(label)
            address, fields = self.sending(label, **changed)
            if form.method == "get":
                self.answer = await self.http.get(address, params=fields)
            else:
                self.answer = await self.http.post(address, data=fields)
        return self.page

    async def type(self, words: str) -> Page:
        return await self.press("Send", words=words)

    async def close(self) -> None:
        await self.http.aclose()


NewBrowser = Callable[[], PlainBrowser]
