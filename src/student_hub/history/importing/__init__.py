"""Imports of files: students and events, in batches, resumable after a kill.

`runner.Importer` is the door; a format (`interactions.Interactions`, `ndjson.Ndjson`) says what a
line means. Each batch and how far the file has come are one transaction.
"""
