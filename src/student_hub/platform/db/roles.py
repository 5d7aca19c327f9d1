"""As whom the hub works in PostgreSQL."""

HUB_ROLE = "student_hub_app"
"""Owns nothing and cannot log in; every connection of the hub takes it on."""
