"""Notifications: who is told what, by which way, once; owns notices, notifications, preferences.

Rooms above put a `schemas.Notice` with `service.Notifications.notify` into their own transaction.
`addressing` says who is reached how, `jobs` sends by the channels of `channel` (`mail`, `webhook`;
the in-app inbox is the table itself), `rendering` makes the words only when they are needed.
Doors: `routes` (/v1/inbox, /v1/preferences, /unsubscribe, /admin/notifications). docs/adr/0026 and
0027 say what is promised, and why.
"""
