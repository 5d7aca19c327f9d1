"""The command line of the reference nodes; `--help` teaches it."""

import argparse
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from reference_nodes.demo_school import school
from reference_nodes.demo_school.truth import CLASS_SIZE
from reference_nodes.learning.activity import SEOUL
from reference_nodes.serving.assembly import NODES, node_application, utc_now
from reference_nodes.serving.faults import Faults, FaultSpecError, described

MOST_STUDENTS = 99
GRACE = 1
"""Seconds that running calls have to end once the node is told to stop."""


class CannotStartError(Exception):
    """Why a node does not start, as one sentence for the person who started it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and give its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "serve":
            _serve(arguments)
        else:
            _demo_school(arguments)
    except CannotStartError as error:
        _say(f"reference_nodes: {error}")
        return 1
    except BrokenPipeError:  # the reader has seen enough
        sys.stderr.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reference_nodes", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve one node as an MCP server at /mcp")
    serve.add_argument("--node", required=True, choices=NODES)
    serve.add_argument("--port", type=int, help="default: the node's own, 8001 to 8006")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument(
        "--data-dir", type=Path, required=True, help="folder of the event log that nodes share"
    )
    serve.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="SPEC",
        type=_fault,
        help=f"something to be wrong, several allowed: {described()}",
    )
    _add_demo_school(commands.add_parser("demo-school", help="write a made-up class as NDJSON"))
    return parser


def _add_demo_school(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--seed", type=int, default=7)
    demo.add_argument("--students", type=_class_size, default=CLASS_SIZE)
    demo.add_argument(
        "--today",
        type=_moment,
        default=utc_now(),
        help="ISO date or time; events end where its day begins in Seoul (default: now)",
    )


def _class_size(text: str) -> int:
    size = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= size <= MOST_STUDENTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 1 and {MOST_STUDENTS}")
    return size


def _fault(spec: str) -> str:
    try:
        Faults.of([spec])
    except FaultSpecError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return spec


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO date or time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SEOUL)


def _serve(arguments: argparse.Namespace) -> None:
    name, host = arguments.node, arguments.host
    with ExitStack() as stack:
        # uvicorn stops in good order, and then raises the signal again for whoever had it before.
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        stack.callback(signal.signal, signal.SIGTERM, before)
        port = NODES[name].port if arguments.port is None else arguments.port
        listener = stack.enter_context(_listener(host, port))
        app = stack.enter_context(_application(arguments))
        port = listener.getsockname()[1]
        _say(f"{name} at http://{host}:{port}/mcp")
        _run(app, listener)


def _demo_school(arguments: argparse.Namespace) -> None:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # names are Korean
    school.write(sys.stdout, arguments.seed, students=arguments.students, today=arguments.today)


@contextmanager
def _application(arguments: argparse.Namespace) -> Iterator[ASGIApp]:
    faults, folder = Faults.of(arguments.fault), arguments.data_dir
    node = node_application(
        arguments.node, folder, faults=faults, loopback_only=_is_loopback(arguments.host)
    )
    with ExitStack() as stack:
        try:
            app = stack.enter_context(node)
        except (OSError, sqlite3.Error) as error:
            raise CannotStartError(f"the folder {folder} cannot be used: {error}") from error
        yield app


def _run(app: ASGIApp, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, ws="none", timeout_graceful_shutdown=GRACE
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        sys.exit(0)


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that says it is TCP does asyncio turn Nagle's algorithm off.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise CannotStartError(f"port {port} on {host} cannot be had: {error}") from error
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
