"""Where Alembic starts: it runs inside the transaction that `database.migrate` began and locked."""

from alembic import context

from gateway.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
