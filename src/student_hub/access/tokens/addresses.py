"""Which addresses of identity providers the hub believes in."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def may_be_asked(url: str, *, allow_http: bool) -> bool:
    """Whether the hub would fetch from there: https, or http on this machine or where allowed."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and (allow_http or is_this_machine(host))
    )


def is_this_machine(host: str) -> bool:
    """Whether the host's name can mean nothing but loopback."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
