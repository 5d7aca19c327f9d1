"""Transactions on PostgreSQL: `Database.transaction(caller)` is the way to the data.

`Database.fetch_row` is its short cut for a row that many wait for. Each works as a role that owns
nothing, and sees the students whom the caller may see.
"""
