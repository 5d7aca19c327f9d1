"""Reads: one student, gathered from the hub and the nodes into a 360-degree profile.

Owns no table. Its doors are the tool `get_unified_profile` and `GET /v1/students/{id}/profile`;
`service.Profiles` decides who may see before anything is read from the cache, asks all nodes at
once, and never lets a failing node cost more than its own section.
"""
