"""What a student should do next, and why: a plan from weak concepts, prerequisites and time.

Door: `planner.plan()`. Pure: masteries, due concepts and minutes a day come in as plain values.
"""
