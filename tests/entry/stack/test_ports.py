import socket

import pytest

from student_hub.entry.stack.errors import PortTaken, StackError
from student_hub.entry.stack.ports import find_free, is_free, require_free

pytestmark = pytest.mark.requirement("up-clear-refusals")


def test_a_taken_port_is_told_with_the_option_that_changes_it() -> None:
    """The sentence is the one that a person can act on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        sentence = rf"^port {port} is taken \(by another program\); choose another with --port N\.$"
        with pytest.raises(PortTaken, match=sentence):
            require_free({"--port": port})
    require_free({"--port": port})


def test_a_port_taken_on_all_addresses_is_taken() -> None:
    """A server on 0.0.0.0 is in the way of one on the loopback."""
    with socket.create_server(("", 0)) as server:
        assert not is_free(server.getsockname()[1])


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    """Only 1 to 65535 can be listened on."""
    with pytest.raises(StackError, match=f"--port {port} is no port"):
        require_free({"--port": port})


def test_a_found_port_can_be_listened_on() -> None:
    """Nobody else listens there."""
    assert is_free(find_free())


def test_a_host_that_is_not_ours_is_one_sentence() -> None:
    """An address of another machine cannot be listened on."""
    with pytest.raises(StackError, match=r"cannot listen on 192\.0\.2\.1 port"):
        is_free(find_free(), "192.0.2.1")
