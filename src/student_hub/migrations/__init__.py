"""The schema of the hub's database, as Alembic revisions; `run.py` is the door.

Every revision has a downgrade, waits at most a few seconds for a lock, and keeps the code before it
running (expand, backfill, contract). Only models are imported here.
"""
