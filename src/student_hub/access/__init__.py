"""Access: owns the API keys and the grants, and says who may see whom.

Doors: `service.Access` (authenticate; keys; who sees a student; `grants` beside it), `policy` for
the rooms above, `rules` for the doors, `routes` (/admin/keys, /admin/grants). Two rooms inside keep
to themselves: `audit` and `tokens`. Every room that holds something of a student stands above.
"""
