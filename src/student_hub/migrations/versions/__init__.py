"""One module a revision, in order; plain DDL, so that a revision never changes with the models."""
