"""Runs the migrations on the connection `Store.migrate` hands over, inside its transaction: all of them, or none."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True, render_as_batch=True)
context.run_migrations()
