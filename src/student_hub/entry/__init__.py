"""Assembles everything; imported by nobody.

`house` makes every part by hand, `api` is the ASGI application, `worker` and `beat` carry the
background work, `stack` runs the whole platform on one machine, `cli` is the command `student-hub`.
"""
