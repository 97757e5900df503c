"""How Alembic runs our migrations: over a connection that `migrating.py` has opened, within
its transaction."""

from __future__ import annotations

from alembic import context

from inzwa_rtc.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column only by making the table anew
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
