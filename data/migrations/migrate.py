"""Runs Alembic on a SQLite file, all steps in one transaction: the old schema or the new one, never between."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text

from data.vault import Vault


def upgrade(path: Path, vault: Vault | None = None, revision: str = "head") -> None:
    """Bring the file to `revision`; `vault` opens and seals what has to move.

    Errors of SQLite come through as they are; nothing is half done.
    """
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.execute(text("BEGIN IMMEDIATE")))
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent))
            config.attributes.update(connection=connection, vault=vault)
            command.upgrade(config, revision)
    finally:
        engine.dispose()
