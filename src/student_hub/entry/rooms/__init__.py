"""How rooms are built that have many parts, one module a room; called by `house`."""
