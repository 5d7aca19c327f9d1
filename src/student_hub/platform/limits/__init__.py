"""How much a caller may ask of the hub in a minute, counted exactly over all its processes.

Doors: `costs` says what a call costs, `limiter.Limiter` gives a `permit.Permit` for it, `failures`
bounds wrong keys by address. Nothing here knows a protocol; `http.limiting` and the tool
dispatcher ask, and the edge writes the headers. Without the store a limit of the process's own
holds: it is never off.
"""
