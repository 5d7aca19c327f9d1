"""The concepts of the Korean 2022 revised mathematics curriculum, and what each needs first.

Owns `concepts/*.yaml`: own short names and own prerequisite edges, each with its reason, filed
under the codes of the achievement standards (Ministry of Education notice 2022-33, annex 8).
Doors: `graph.load()` and its `Graph`; `codes.normalise_code()`. Knows nothing of students.
"""
