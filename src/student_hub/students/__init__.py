"""Students and their personal data: the one room that writes `students`, their keys, generations.

Doors: `routes.py` (REST under /v1/students), `permitting_routes.py` (consents, and whether a
student's data may be processed), `rotation_routes.py` (/admin/encryption-keys), `jobs.py`. Rooms
above use `service.Students`, whose operations take the open transaction; `schemas` and `errors`
say what comes back. Names, e-mail addresses, parents' contacts and care notes are sealed with a
key of each student's own before they reach PostgreSQL.
"""
