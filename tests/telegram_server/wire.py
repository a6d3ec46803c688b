"""HTTP: a call's parameters out of query, form, JSON or multipart; answers; broken connections."""

import asyncio
import json
from email.message import Message as Header

from aiohttp import BodyPartReader, web

from tests.telegram_server.parameters import Upload
from tests.telegram_server.refusals import bad


async def read_parameters(request: web.Request) -> dict[str, object]:
    params: dict[str, object] = dict(request.query)
    if request.content_type == "application/json":
        params |= _object(await request.read())
    elif request.content_type.startswith("multipart/"):
        params |= await _parts(request)
    elif request.can_read_body:
        params |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return params


def _object(body: bytes) -> dict:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise bad("can't parse JSON object") from None
    if not isinstance(value, dict):
        raise bad("object expected")
    return value


async def _parts(request: web.Request) -> dict[str, object]:
    params: dict[str, object] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise bad("a part of the form is a form itself")
        data = bytes(await part.read(decode=True))
        name = _name(part)
        params[name] = Upload(part.filename, data) if part.filename else data.decode("utf-8", "surrogateescape")
    return params


def _name(part: BodyPartReader) -> str:
    header = Header()
    header["content-disposition"] = part.headers.get("Content-Disposition", "")
    return part.name or str(header.get_param("name", "", "content-disposition"))


def respond(status: int, body: dict) -> web.Response:
    return web.json_response(body, status=status)


async def cut(request: web.Request, body: dict, midway: bool) -> web.StreamResponse:
    """Breaks the connection: before any answer, or in the middle of it."""
    payload = json.dumps(body).encode()
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    answer.content_length = len(payload) + 10
    if midway:
        await answer.prepare(request)
        await answer.write(payload[: len(payload) // 2])
        await asyncio.sleep(0.01)
    if request.transport:
        request.transport.close() if midway else request.transport.abort()
    return answer if midway else web.Response()
