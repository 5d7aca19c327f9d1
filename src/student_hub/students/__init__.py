"""Students and their personal data: the one room that writes `students`, their keys, generations.

Door: `routes.py` (REST under /v1/students). Rooms above use `service.Students`, whose operations
take the open transaction; `schemas` and `errors` say what comes back. Names, e-mail addresses and
parents' contacts are sealed with a key of each student's own before they reach PostgreSQL.
"""
