"""How the tables came to be what `schema` says: one file a step, run in order by Alembic."""
