"""The six nodes, a module each: `tools(context)` gives the tools that the node serves.

Tools are thin: they put what the learning model, the curriculum, the planner, the problem maker
and the register of schools know into the answer's shape. `serving` stands above.
"""
