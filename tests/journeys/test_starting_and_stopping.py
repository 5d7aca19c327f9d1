"""What `up` leaves behind when it stops, however it stops, and what stands in its way."""

import os
import signal
import socket
from pathlib import Path

import httpx2
import pytest

from journeys.stack import READY, Stack, free_ports, is_gone, run_hub, started, until


@pytest.mark.requirement("up-data-survives", "up-one-command")
@pytest.mark.timeout(400)
def test_data_survives_a_kill_of_everything_and_nothing_is_left_running(tmp_path: Path) -> None:
    """A second start finds the students, SIGTERM leaves nothing, and a lost key is missed."""
    with started(tmp_path, "--no-demo") as first:
        pids = [*first.pids.values(), first.process.pid]
        student_id = create_student(first)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        first.process.wait()
        until(lambda: all(map(is_gone, pids)), 30)
    with started(tmp_path, "--no-demo") as second:
        assert read_student(second, student_id)["name"] == "이영희"
        pids = list(second.pids.values())
        assert second.stop() == 0
        assert [pid for pid in pids if not is_gone(pid)] == []
        assert "everything has stopped" in second.said
    (tmp_path / "data/encryption.key").unlink()
    refused = run_hub("up", "--data-dir", str(tmp_path / "data"), *free_port_options())
    assert refused.returncode == 1
    assert "sealed with another key" in refused.stderr


@pytest.mark.requirement("demo-school", "up-one-command", "nodes-configurable")
@pytest.mark.timeout(400)
def test_ctrl_c_while_the_demo_school_loads_is_heard_at_once(tmp_path: Path) -> None:
    """It stops without saying what to do next; settings that are JSON, and HOST, reach the API."""
    renamed = '{"q-dna.get_mastery_level": {"name": "get_mastery_level"}}'
    everywhere = "0.0.0.0"  # noqa: S104 (as an operator may set it)
    with started(
        tmp_path, says="loading a demo school", NODE_TOOLS=renamed, HOST=everywhere
    ) as stack:
        assert stack.stop(signal.SIGINT) == 0
        assert "everything has stopped" in stack.said
        assert READY not in stack.said


@pytest.mark.requirement("up-clear-refusals")
def test_a_second_start_on_the_same_folder_is_refused(stack: Stack) -> None:
    """One sentence says who runs there; the first goes on."""
    refused = stack.hub("up", "--port", "1")
    assert refused.returncode == 1
    assert (
        f"another student-hub runs on this data folder (pid {stack.process.pid})" in refused.stderr
    )
    assert len(refused.stderr.strip().splitlines()) == 1
    assert httpx2.get(f"http://127.0.0.1:{stack.port}/livez").status_code == 200


@pytest.mark.requirement("up-clear-refusals")
@pytest.mark.parametrize("option", ["--port", "--nodes-port"])
def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path, option: str) -> None:
    """The sentence names the port and the option that chooses another."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        refused = run_hub("up", "--data-dir", str(tmp_path / "data"), option, str(port))
    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr
    assert option in refused.stderr
    assert "starting" not in refused.stdout


@pytest.mark.requirement("up-clear-refusals")
def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """A broken folder is one sentence and exit code 1, not a traceback."""
    (tmp_path / "data").write_text("not a folder")
    refused = run_hub("up", "--data-dir", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert "is not a folder" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


@pytest.mark.requirement("cli-env-status")
@pytest.mark.parametrize("command", ["env", "status", "migrate", "serve", "worker", "beat"])
def test_commands_say_when_nothing_runs(tmp_path: Path, command: str) -> None:
    """Without a running stack and without settings, each command says what to do."""
    refused = run_hub(command, "--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert "no hub runs on the data folder" in refused.stderr
    assert "student-hub up" in refused.stderr


def free_port_options() -> list[str]:
    port, nodes_port = free_ports()
    return ["--port", str(port), "--nodes-port", str(nodes_port)]


def create_student(stack: Stack) -> str:
    student = {"name": "이영희", "school_id": "SCH001", "grade": 10, "class_name": "1반"}
    answer = httpx2.post(f"{url(stack)}/v1/students", json=student, headers=headers(stack))
    student_id: str = answer.json()["id"]
    return student_id


def read_student(stack: Stack, student_id: str) -> dict[str, str]:
    answer = httpx2.get(f"{url(stack)}/v1/students/{student_id}", headers=headers(stack))
    student: dict[str, str] = answer.raise_for_status().json()
    return student


def url(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.port}"


def headers(stack: Stack) -> dict[str, str]:
    return {"X-API-Key": stack.env()["STUDENT_HUB_API_KEY"]}
