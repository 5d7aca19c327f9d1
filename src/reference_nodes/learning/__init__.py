"""What the log says about learners: ability, mastery of concepts, difficulty of items.

Doors: `model` (the fold of the log, kept up to date), `rasch` (the filter itself, pure),
`review` (what is due), `activity` (sessions and days). Nothing here knows of nodes or MCP.
"""
