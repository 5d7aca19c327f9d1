"""Reads: many students. What a teacher acts on in a class or a grade, with honest statistics.

Owns no table: whether a kept answer is still good is read off the students' generations. Its doors
are the tool `get_class_analytics` and `GET /v1/classes/{class_id}/analytics`. `service.Classes`
decides who may see before anything is read; `gathering` asks PostgreSQL and the nodes, bounded;
`statistics` and `risk` are pure functions.
"""
