"""Privacy: what a person may ask about their data: all that is held, and to be forgotten.

Owns the table `erasures`, the proofs of what was destroyed. Doors: `routes.py` (export and erasure
of a student, /admin/erasures), `jobs.py` (nodes and caches forget too). It reads through the
services of the rooms below, and stands on the floor of profiles.
"""
