"""Audit: owns the audit log, which says who read or changed whose data, when, whence and why.

Doors: `service.Audit` (`note` for writes, `saw` for reads, `page`, `accesses`, `review`), `routes`
(/admin/audit), and the command `student-hub audit`. A read is noted in a file of the process
(`spool`) before its answer leaves, and carried into the inbox by the `drainer`; a write is noted in
the inbox by its own transaction. The `sealer` moves the inbox into a log that only grows (`chain`),
and `verification` says whether it still is what was sealed. Whoever touches a student's data stands
above this room and tells it.
"""
