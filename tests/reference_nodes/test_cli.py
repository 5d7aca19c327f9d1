"""The command line, as a person or a supervisor starts it."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx2
import pytest

from reference_nodes.__main__ import main
from reference_nodes.demo_school import school
from reference_nodes.learning.activity import midnight
from reference_nodes.serving.assembly import NODES

pytestmark = pytest.mark.requirement("nodes-serving")

COMMAND = [sys.executable, "-m", "reference_nodes"]


@contextmanager
def started(folder: Path, node: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    serve = [*COMMAND, "serve", "--node", node, "--data-dir", str(folder), *arguments]
    process = subprocess.Popen(serve, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    """Where the node says it is; it says so on one line of stderr."""
    assert process.stderr is not None
    name, at, url = process.stderr.readline().split()
    assert (name in NODES, at) == (True, "at")
    return url.removesuffix("/mcp")


def alive(url: str) -> bool:
    return httpx2.get(url + "/livez", timeout=30).text == "ok"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_node_serves_until_it_is_told_to_stop(tmp_path: Path, stop: signal.Signals) -> None:
    """It says where it is, answers, and ends cleanly with nothing more to say."""
    with started(tmp_path / "log", "q-dna", "--port", "0") as process:
        assert alive(address(process))
        process.send_signal(stop)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_a_hanging_call_does_not_keep_a_node_from_stopping(tmp_path: Path) -> None:
    """Whoever waits for an answer is cut off after a second."""
    with started(tmp_path, "lab-node", "--port", "0", "--fault", "hang") as process:
        host, port = address(process).removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as waiting:
            waiting.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            assert alive(f"http://{host}:{port}")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


def test_a_taken_port_is_one_clear_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, the port named, no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        serve = ["serve", "--node", "lab-node", "--data-dir", str(tmp_path), "--port", port]
        assert main(serve) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert f"port {port}" in sentence


@pytest.mark.parametrize("at", ["file", "."])
def test_a_folder_that_cannot_be_used_is_one_clear_sentence(
    tmp_path: Path, at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file stands where the folder should be, or the log in it is none."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "events.sqlite").write_text("this is no database, however long it may be" * 50)
    folder = str(tmp_path / at)
    assert main(["serve", "--node", "lab-node", "--port", "0", "--data-dir", folder]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert folder in sentence


def test_a_port_that_is_none_is_one_clear_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Port numbers end at 65535."""
    serve = ["serve", "--node", "lab-node", "--data-dir", str(tmp_path), "--port", "70000"]
    assert main(serve) == 1
    assert "70000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["serve", "--node", "q-dna"], "--data-dir"),
        (["serve", "--node", "oracle", "--data-dir", "x"], "oracle"),
        (["serve", "--node", "q-dna", "--data-dir", "x", "--fault", "explode"], "explode"),
        (["demo-school", "--today", "soon"], "soon"),
        (["demo-school", "--students", "0"], "--students"),
        ([], "command"),
    ],
)
def test_a_bad_command_line_says_what_is_wrong(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the culprit by name."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_help_names_nodes_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """A person can learn the command from the command."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in NODES)
    assert "wrong_student" in text


def test_the_demo_school_goes_to_standard_output() -> None:
    """The same day gives the same lines, in UTF-8 whatever the locale."""
    given = run("demo-school", "--seed", "5", "--students", "3", "--today", "2026-11-23")
    assert (given.returncode, given.stderr) == (0, "")
    here = io.StringIO()
    school.write(here, 5, students=3, today=midnight(date(2026, 11, 23)))
    assert given.stdout == here.getvalue()
    rows = [json.loads(line) for line in given.stdout.splitlines()]
    assert rows[0]["student"]["name"] == "김철수"
    assert max(row["event"]["occurred_at"] for row in rows[3:]) < "2026-11-22T15:00:00Z"
