"""How a node is served: its tools as an MCP server, and faults on purpose.

Doors: `context` (what a tool is made of), `server` (the ASGI application of a node), `faults`.
"""
