"""Putting a key that was typed from its sheet back into the key file. Nothing that is there is overwritten.

A file that holds no key is set aside.
"""

from __future__ import annotations

import json
from pathlib import Path

from bot.house import box_keys
from bot.settings import Settings
from data.database import KEY_CHECK, Database, is_empty, read_fact
from data.key_ring import KeyFile, write_ring
from data.preparing import opens
from data.rotation import ROTATION
from data.vault import DamagedKey, KeyProblem, Vault


async def put_back(settings: Settings, key: bytes) -> str:
    """What was done, in one line; KeyProblem where another key is there, or the database needs another one."""
    if settings.key is not None:
        raise KeyProblem("YOUSAID_KEY is set, so no key file is used. Set it to this key, or take it away first.")
    needed = await _needed(settings, key)
    path = settings.key_file
    ring, damaged = _there(path)
    if key in ring:
        return f"This key is in {path} already. Nothing was changed."
    if ring and not {Vault(k).id.hex() for k in (*ring, key)} <= set(needed):
        raise KeyProblem(f"There is another key in {path}. Move that file away first; nothing was changed.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if damaged:
        path.replace(path.with_name(f"{path.name}.damaged"))
    write_ring(path, *sorted((*ring, key), key=lambda k: _place(k, needed)))
    if len(needed) > 1:
        return f"The key is in {path}. A change of keys was under way: with both keys there, `yousaid key rotate`."
    return f"The key is in {path}. Now put the database back: `yousaid restore FILE`, or start: `yousaid run`."


def _there(path: Path) -> tuple[tuple[bytes, ...], bool]:
    """The keys in the file, and whether it holds something else; KeyProblem where it may not be read."""
    try:
        return (KeyFile(path).read() if path.exists() else ()), False
    except DamagedKey:
        return (), True


async def _needed(settings: Settings, key: bytes) -> list[str]:
    """The ids of the keys that the database needs in the middle of a change, today's first; else none.

    KeyProblem where the database is there and this is not its key.
    """
    if await is_empty(settings.database):
        return []
    db = Database(settings.database, Vault(key), box_keys(settings))
    try:
        async with db.reading() as tx:
            needed: list[str] = json.loads(await read_fact(tx, ROTATION) or b"[]")
            if not opens(tx.vault, await read_fact(tx, KEY_CHECK)) and tx.vault.id.hex() not in needed:
                raise KeyProblem(
                    f"This sheet is of another key than the database at {settings.database}. Take today's sheet; "
                    "to look at an older backup, restore it in an empty folder. Nothing was changed."
                )
            return needed
    finally:
        await db.close()


def _place(key: bytes, needed: list[str]) -> int:
    id = Vault(key).id.hex()
    return needed.index(id) if id in needed else len(needed)
