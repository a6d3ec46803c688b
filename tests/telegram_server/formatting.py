"""Text as Telegram reads it: parse modes, entities, lengths in UTF-16 units.

Both parse modes are walked once, left to right. `Writer` collects the visible text and knows where
in it, in UTF-16 units, an entity begins; what is open lies on a stack.
"""

import html
import re
from dataclasses import dataclass, field

from tests.telegram_server.refusals import bad

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
_ENTITY_TYPES = (
    "mention hashtag cashtag bot_command url email phone_number bold italic underline strikethrough "
    "spoiler blockquote expandable_blockquote code pre text_link text_mention custom_emoji date_time"
)
ENTITY_TYPES = frozenset(_ENTITY_TYPES.split())
HTML_TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
TAG = re.compile(r"<([a-zA-Z0-9-]*)((?:\s+[a-zA-Z-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[\w.-]+))?)*)\s*>")
ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([\w.-]+)))?")
CHARACTER = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|lt|gt|amp|quot);")
RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
MARKS = {
    "```": "pre",
    "__": "underline",
    "||": "spoiler",
    "`": "code",
    "_": "italic",
    "*": "bold",
    "~": "strikethrough",
}
NAMES = {"strikethrough": "Strikethrough", "pre": "Pre", "text_link": "TextUrl"}


@dataclass(frozen=True)
class Formatted:
    """What is shown, and how."""

    text: str
    entities: list[dict]


@dataclass(frozen=True)
class Open:
    """An entity that has begun: its tag or mark, its type, where it began."""

    mark: str
    kind: str
    offset: int
    at: int
    extra: dict = field(default_factory=dict)


class Writer:
    """The visible text so far, and what is open in it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.text = ""
        self.length = 0
        self.stack: list[Open] = []
        self.entities: list[dict] = []

    def write(self, text: str) -> None:
        self.text += text
        self.length += utf16(text)

    def open(self, mark: str, kind: str, at: int, extra: dict | None = None) -> None:
        self.stack.append(Open(mark, kind, self.length, at, extra or {}))

    def close(self, extra: dict | None = None) -> None:
        top = self.stack.pop()
        if length := self.length - top.offset:
            entity = {"type": top.kind, "offset": top.offset, "length": length}
            self.entities.append(entity | top.extra | (extra or {}))

    def byte(self, at: int) -> int:
        return len(self.source[:at].encode())

    def done(self) -> Formatted:
        return Formatted(self.text, sorted(self.entities, key=lambda one: (one["offset"], -one["length"])))


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def text_of(params: dict) -> Formatted:
    """The text of a message: not empty, not too long."""
    shown = _formatted(params.get("text", ""), params.get("parse_mode"), params.get("entities"))
    if not shown.text:
        raise bad("message text is empty")
    if utf16(shown.text) > TEXT_LIMIT:
        raise bad("message is too long")
    return shown


def caption_of(params: dict) -> Formatted:
    shown = _formatted(params.get("caption", ""), params.get("parse_mode"), params.get("caption_entities"))
    if utf16(shown.text) > CAPTION_LIMIT:
        raise bad("message caption is too long")
    return shown


def _formatted(text: str, parse_mode: str | None, entities: list[dict] | None) -> Formatted:
    clean = re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", lambda one: "" if one[0] == "\r" else " ", text)
    mode = (parse_mode or "").lower()
    if mode == "html":
        return _trimmed(read_html(clean))
    if mode == "markdownv2":
        return _trimmed(read_markdown(clean))
    if mode:
        raise bad("unsupported parse_mode")
    return _trimmed(Formatted(clean, [_checked(one, utf16(clean)) for one in entities or []]))


def _checked(entity: dict, length: int) -> dict:
    if entity["type"] not in ENTITY_TYPES:
        raise bad(f"can't parse entities: unknown entity type {entity['type']!r}")
    if entity["offset"] < 0 or entity["length"] < 1 or entity["offset"] + entity["length"] > length:
        raise bad("can't parse entities: entity lies outside the text")
    if (entity["type"] == "text_link") != ("url" in entity):
        raise bad("can't parse entities: a link needs an address, and nothing else has one")
    return entity


def _trimmed(shown: Formatted) -> Formatted:
    """Without space at both ends, as Telegram keeps it; entities move along."""
    text = shown.text.strip()
    gone = utf16(shown.text[: len(shown.text) - len(shown.text.lstrip())])
    length = utf16(text)
    entities = []
    for entity in shown.entities:
        start = max(entity["offset"] - gone, 0)
        end = min(entity["offset"] + entity["length"] - gone, length)
        if end > start:
            entities.append(entity | {"offset": start, "length": end - start})
    return Formatted(text, entities)


def _unparsable(why: str) -> Exception:
    return bad(f"can't parse entities: {why}")


def read_html(source: str) -> Formatted:
    writer, at = Writer(source), 0
    while at < len(source):
        if source.startswith("</", at):
            at = _html_end(writer, at)
        elif source[at] == "<":
            at = _html_start(writer, at)
        elif found := CHARACTER.match(source, at):
            writer.write(html.unescape(found[0]))
            at = found.end()
        else:
            writer.write(source[at])
            at += 1
    if writer.stack:
        raise _unparsable(f"Can't find end tag corresponding to start tag {writer.stack[-1].mark}")
    return writer.done()


def _html_start(writer: Writer, at: int) -> int:
    found = TAG.match(writer.source, at)
    where = writer.byte(at)
    if found is None and ">" not in writer.source[at:]:
        raise _unparsable(f"Unclosed start tag at byte offset {where}")
    name = (found[1] if found else re.split(r"[\s>]", writer.source[at + 1 :], maxsplit=1)[0]).lower()
    if found is None or name not in HTML_TAGS:
        raise _unparsable(f'Unsupported start tag "{name}" at byte offset {where}')
    attributes = {one[1].lower(): one[2] or one[3] or one[4] or "" for one in ATTRIBUTE.finditer(found[2])}
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {where}')
    kind = "expandable_blockquote" if "expandable" in attributes else HTML_TAGS[name]
    extra = {"url": html.unescape(attributes["href"])} if name == "a" and "href" in attributes else {}
    writer.open(name, kind, at, extra)
    return found.end()


def _html_end(writer: Writer, at: int) -> int:
    found = re.compile(r"</([a-zA-Z0-9-]*)\s*>").match(writer.source, at)
    where = writer.byte(at)
    if found is None:
        raise _unparsable(f"Unclosed end tag at byte offset {where}")
    if not writer.stack:
        raise _unparsable(f"Unexpected end tag at byte offset {where}")
    if found[1] and found[1].lower() != writer.stack[-1].mark:
        wanted = f'expected "</{writer.stack[-1].mark}>", found "</{found[1]}>"'
        raise _unparsable(f"Unmatched end tag at byte offset {where}, {wanted}")
    writer.close()
    return found.end()


def read_markdown(source: str) -> Formatted:
    writer, at = Writer(source), 0
    while at < len(source):
        at = _markdown_step(writer, at)
    if writer.stack:
        top = writer.stack[-1]
        name = NAMES.get(top.kind, top.kind.capitalize())
        raise _unparsable(f"Can't find end of {name} entity at byte offset {writer.byte(top.at)}")
    return writer.done()


def _markdown_step(writer: Writer, at: int) -> int:
    """One character, escape or mark further; inside code only its own mark counts."""
    source, top = writer.source, writer.stack[-1] if writer.stack else None
    char = source[at]
    if char == "\\" and at + 1 < len(source) and 1 <= ord(source[at + 1]) <= 126:
        writer.write(source[at + 1])
        return at + 2
    if top and top.kind in ("code", "pre"):
        return _markdown_code(writer, at, top)
    if char == ">" and (at == 0 or source[at - 1] == "\n"):
        return at + 1
    if char == "[" or source.startswith("![", at):
        writer.open("[", "text_link" if char == "[" else "custom_emoji", at)
        return at + (1 if char == "[" else 2)
    if char == "]" and top and top.mark == "[":
        return _markdown_address(writer, at)
    mark = next((one for one in MARKS if source.startswith(one, at)), None)
    if mark:
        return _markdown_mark(writer, at, mark)
    if char in RESERVED:
        raise _unparsable(f"Character '{char}' is reserved and must be escaped with the preceding '\\'")
    writer.write(char)
    return at + 1


def _markdown_code(writer: Writer, at: int, top: Open) -> int:
    if writer.source.startswith(top.mark, at):
        writer.close()
        return at + len(top.mark)
    if writer.source[at] == "`":
        raise _unparsable("Character '`' is reserved and must be escaped with the preceding '\\'")
    writer.write(writer.source[at])
    return at + 1


def _markdown_mark(writer: Writer, at: int, mark: str) -> int:
    if writer.stack and writer.stack[-1].mark == mark:
        writer.close()
    else:
        writer.open(mark, MARKS[mark], at)
    return at + len(mark)


def _markdown_address(writer: Writer, at: int) -> int:
    found = re.compile(r"\]\(((?:\\.|[^\\)])*)\)").match(writer.source, at)
    if found is None:
        top = writer.stack[-1]
        if top.kind == "custom_emoji" or writer.source.startswith("](", at):
            raise _unparsable(f"Can't find end of a URL at byte offset {writer.byte(at)}")
        writer.stack.pop()
        return at + 1
    address = re.sub(r"\\(.)", r"\1", found[1])
    writer.close({"url": address} if writer.stack[-1].kind == "text_link" else {})
    return found.end()
