"""How fast the hub is, beside yardsticks on the same machine in the same run: `make bench`.

Everything is a process of its own on loopback: PostgreSQL, Valkey, the API, fake nodes (`nodes`),
the yardsticks (`floor`, `plain_sdk`) and the load (`load`). `stage` starts them, `scenarios` says
what is measured, `results` keeps and prints it. Not part of the wheel.
"""
