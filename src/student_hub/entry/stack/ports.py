import errno
import socket
from collections.abc import Mapping
from pathlib import Path

from student_hub.entry.stack.errors import PortTaken, StackError
from student_hub.entry.stack.private import write_private

LOOPBACK = "127.0.0.1"
_HIGHEST = 65535


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: TIME_WAIT is free
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return _read_refusal(error, port, host)
    return True


def find_free() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(ports: Mapping[str, int], host: str = LOOPBACK) -> None:
    """Raise PortTaken for the first port in use; the keys are the options that change it."""
    for option, port in ports.items():
        if not 0 < port <= _HIGHEST:
            raise StackError(f"{option} {port} is no port: choose one from 1 to {_HIGHEST}.")
        if not is_free(port, host):
            raise PortTaken(
                f"port {port} is taken (by another program); choose another with {option} N."
            )


def kept_port(file: Path, wanted: int = 0) -> int:
    """The wanted port, or the one in the file if it is free, or a new free one kept there."""
    if wanted:
        if not is_free(wanted):
            raise PortTaken(f"port {wanted} is taken (by another program).")
        return wanted
    port = read_port(file)
    if not port or not is_free(port):
        port = find_free()
        write_private(file, f"{port}\n")
    return port


def read_port(file: Path) -> int:
    """The port kept in the file; 0 when there is none."""
    try:
        port = int(file.read_text())
    except (FileNotFoundError, ValueError):
        return 0
    return port if 0 < port <= _HIGHEST else 0


def _read_refusal(error: OSError, port: int, host: str) -> bool:
    if error.errno == errno.EADDRINUSE:
        return False
    if error.errno == errno.EACCES:
        raise StackError(f"port {port} is for root only: choose one from 1024 on.") from error
    raise StackError(f"cannot listen on {host} port {port}: {error.strerror}.") from error
