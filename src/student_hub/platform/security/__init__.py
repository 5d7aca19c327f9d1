"""Callers, keys and sealed values: what a credential becomes and how personal data is kept."""
