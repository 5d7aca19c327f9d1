"""Fictional schools for the reference platform, shipped as `schools.yaml`.

Door: `register.find()`. Every name, address and page is made up; pages stand under `.example`.
"""
