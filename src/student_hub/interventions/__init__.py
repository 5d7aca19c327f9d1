"""Learning interventions: plans for a student, from the wish to the question what they changed.

Owns `interventions`, the calls that made them, decisions, progress checks, and the abilities that
their effect is estimated from. Doors: a tool, /v1/interventions, jobs. Profiles and analytics stand
above; nodes 1, 2 and 3 are asked.
"""
