"""Transactions on PostgreSQL: `Database.transaction()` is the only way to the data."""
