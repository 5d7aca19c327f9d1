"""The ground every room stands on: transactions, cache, callers, doors, jobs.

It knows nothing of students.
"""
