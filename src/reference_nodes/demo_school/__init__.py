"""A made-up class whose every event comes from a simulated learner of stated truth.

Owns the roster, the pupils' habits and the days of study. Doors: `school.write` (NDJSON, what the
command line gives), `school.events`, `roster.students` and `truth.truth`, which a test compares
the model's estimates with. All of it follows from a seed; every name is invented.
"""
