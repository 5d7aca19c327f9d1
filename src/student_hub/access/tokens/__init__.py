"""Tokens: the hub as an OAuth 2.1 resource server; reads the JWTs of the issuers it was told of.

Doors: `service.Tokens` (identify), `resource` and `routes` (RFC 9728 metadata); entry makes them
of the settings. A token goes through `reading` (form), `provider` and `issuer` (keys),
`signatures`, `claims` and `roles`, in that order; nothing it says is believed before its signature
holds, but for which issuer and which key it names. Only identities leave this room, never tokens.
"""
