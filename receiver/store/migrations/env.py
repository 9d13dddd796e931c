"""Alembic's entry point: migrations run in-process over the connection they are given (`receiver.store.migrate`)."""

from alembic import context

from receiver.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    # FTS5 keeps its own tables beside ours; they are made by a statement, not by metadata.
    include_name=lambda name, kind, _parents: kind != "table" or not str(name).startswith("alert_label"),
)
context.run_migrations()
