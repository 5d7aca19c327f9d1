"""The schema of the hub's database, as Alembic revisions; `run.py` is the door.

Every revision has a downgrade, waits at most a few seconds for a lock, and keeps the code before it
running (expand, backfill, contract). A new table says with `protection` what the hub may do with it
and who sees which rows. Only models are imported here.
"""
