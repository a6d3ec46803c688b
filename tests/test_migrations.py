"""The migrations make the schema of data/tables.py, up and down."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from data.database import HEAD
from data.migrations.migrate import upgrade
from data.sqlite import prepare, schema_version
from data.tables import metadata
from data.vault import Vault
from tests.school import MASTER


def tables(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    try:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'alembic%'"))
    finally:
        connection.close()


def test_a_migrated_database_is_the_schema(tmp_path: Path) -> None:
    prepare(tmp_path / "new.db", Vault(MASTER), create=True)
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    assert schema_version(tmp_path / "new.db") == HEAD


def test_tables_with_answers_have_no_rowid(tmp_path: Path) -> None:
    """Order of arrival must not stand in a hidden column (trust M1)."""
    prepare(tmp_path / "new.db", Vault(MASTER), create=True)
    made = tables(tmp_path / "new.db")
    for name in ("answers", "marks", "runs", "queue", "sheet_keys", "people"):
        assert "WITHOUT ROWID" in made[name], name


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "half.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE outbox (mine)")
    connection.commit()
    connection.close()
    with pytest.raises(OperationalError, match="outbox"):
        upgrade(path)
    assert list(tables(path)) == ["outbox"]
