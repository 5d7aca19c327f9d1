"""Background work: rows in PostgreSQL are the truth, Celery carries workers and doorbells.

`Ledger.put` writes a job in the transaction that asks for it; `Workshop.work` claims and runs
what is due; `Doorbell.ring` tells a queue's workers that there is work.
"""
