"""The way out: the platform's other nodes as typed functions.

One module a node (`logic_engine`, `q_dna`, `gen`, `lab`, `report`, `school`), each a class whose
methods return schemas or raise `NodeFailed`. `gateway` is the one policy for all calls, `client`
speaks to a node in whichever dialect it understands. Rooms above use the node modules and `errors`.
"""
