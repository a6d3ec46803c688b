"""Alembic's entry: runs on the connection it is handed, inside that connection's transaction."""

from alembic import context

from data.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
