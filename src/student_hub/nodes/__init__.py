"""The way out: the platform's other nodes as typed functions.

One module a node (`logic_engine`, `q_dna`, `lab`, `report`, `school`), each a class whose
methods return schemas or raise `NodeFailed`. `gateway` is the one policy for all calls: it sends
each down its node's `lane`, past a bulkhead, a `breaker` and a retry `budget`; `client` speaks to a
node in whichever dialect it understands, over the `connection`s of an `endpoint`. `routes` shows
operators the lanes. Rooms above use the node modules and `errors`.
"""
