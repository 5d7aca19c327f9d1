"""Access: owns the API keys, and says who may see whom.

Doors: `service.Access` (authenticate, issue, list, revoke), `policy` for the rooms above,
`routes` (/admin/keys). Every room that holds something of a student stands above this one.
"""
