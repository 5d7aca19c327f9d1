"""The HTTP door: who calls, how large a body may be, and how an error is said (RFC 9457).

Doors: `deps` for routes, `problems` for the error table, and the pure ASGI layers `edge`,
`authentication` and `body`, which cover mounted apps too. `entry` puts them around the app.
"""
