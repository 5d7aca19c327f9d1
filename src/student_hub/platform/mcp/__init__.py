"""The tool door: tools out of plain functions, one dispatcher, served as MCP and as bare JSON-RPC.

Doors: `tool.tool` for a room's `tools.py`; `dispatcher`, `server` (/mcp) and `rpc` (/rpc) for
`entry`. Who is calling comes from the request, never from an argument.
"""
