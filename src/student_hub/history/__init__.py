"""The learning history: events, each stored once, in monthly partitions that the room makes itself.

Doors: `routes.py` (/v1/events, a student's history), `jobs.py` (new events go on to node 4), and
`importing` (files of students and events). Rooms above use `service.History`; `schemas` and
`errors` say what comes back. `students` stands below and is written through its service only.
"""
