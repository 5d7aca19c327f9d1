"""Background work: rows in PostgreSQL are the truth, Celery carries workers and doorbells.

A room writes a message class (`Job`) and a handler, and puts jobs with `Ledger.put` in the
transaction that asks for them. A handler has one of three forms: it asks first and returns its
`Effect`; it works `inside` the transaction that ends the job; or its effect is outside of the
database (`Outside`), and it is told a key that is the same in every run. In a worker process a
`Shift` claims what is due and has the `Workshop` run it; `JobDesk` is for operators, at
/admin/jobs. docs/adr/0009 and 0034 say what is promised, and why.
"""
