"""Six real MCP servers that compute real answers about students from learning events.

A package of its own: it knows nothing of the hub, and any of its nodes can be replaced by a URL.
Owns the event log (`events`, `eventlog`), the learning model (`learning`), the concept graph
(`curriculum`), paths, problems, schools and reports; `nodes` makes tools of them, one module a
node, and `serving` makes servers of the tools. `learners` and `demo_school` make up students of
stated truth.

Doors: `python -m reference_nodes serve --node q-dna --port 8002 --data-dir DIR` and
`python -m reference_nodes demo-school --seed 7`.
"""
