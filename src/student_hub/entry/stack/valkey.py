import signal
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from student_hub.entry.stack.binaries import valkey_server
from student_hub.entry.stack.errors import StackError, failure
from student_hub.entry.stack.ports import LOOPBACK, kept_port, read_port
from student_hub.entry.stack.private import kept_password, write_private
from student_hub.entry.stack.processes import stop_leftover
from student_hub.entry.stack.program import Program, plain_environment
from student_hub.entry.stack.resp import pings

_STOPS = (signal.SIGTERM, signal.SIGKILL)


class EmbeddedValkey:
    """A Valkey of our own in a data folder, as a plain child process.

    It never drops a key without a time to live, for the broker's lists are among them. With
    `durable=False` nothing is written to disk: for tests only.
    """

    def __init__(
        self, data_dir: Path, port: int = 0, *, durable: bool = True, maxmemory: str = "256mb"
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._wanted_port = self._port = port
        self._durable = durable
        self._maxmemory = maxmemory

    def prepare(self) -> None:
        """Make the folder, choose the port, write the configuration; raises StackError."""
        try:
            self._home.mkdir(mode=0o700, exist_ok=True)
            self._stop_leftover()
            self._port = kept_port(self._port_file, self._wanted_port)
            write_private(self._config, self._settings())
        except OSError as error:
            raise failure(str(self._home), "cannot be used for Valkey", str(error)) from error

    @property
    def port(self) -> int:
        """The port on 127.0.0.1, kept in the data folder; 0 before the first `prepare`."""
        return self._port or read_port(self._port_file)

    @property
    def url(self) -> str:
        """The address of database 0, password included."""
        return f"redis://:{quote(self._password, safe='')}@{LOOPBACK}:{self.port}/0"

    def program(self) -> Program:
        """The server as a program; call `prepare` before it starts."""
        return Program(
            name="valkey",
            argv=(str(valkey_server()), str(self._config)),
            env=plain_environment(),
            cwd=self._home,
            stop_grace=10.0,
            ready=self._ready,
            ready_within=120.0,  # it reads its whole file back first, and says LOADING meanwhile
            before=self._stop_leftover,
        )

    async def _ready(self) -> bool:
        return await pings(self.port, self._password)

    def _stop_leftover(self) -> None:
        """Two servers writing to one append-only file would ruin it, and Valkey takes no lock."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return
        if not stop_leftover(pid, str(self._config), _STOPS, 10.0):
            raise StackError(f"an older Valkey (pid {pid}) on {self._home} does not stop.")
        self._pid_file.unlink(missing_ok=True)

    def _settings(self) -> str:
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "requirepass": self._password,
            "dir": str(self._home),
            "pidfile": str(self._pid_file),
            "set-proc-title": "no",  # the command line tells a leftover of ours from a stranger
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": self._maxmemory,
            "maxmemory-policy": "volatile-lru",
            "tcp-backlog": "128",
        }
        return "".join(f"{key} {_quoted(value)}\n" for key, value in settings.items())

    @property
    def _port_file(self) -> Path:
        return self._data_dir / "valkey.port"

    @property
    def _home(self) -> Path:
        return self._data_dir / "valkey"

    @property
    def _config(self) -> Path:
        return self._home / "valkey.conf"

    @property
    def _pid_file(self) -> Path:
        return self._home / "valkey.pid"

    @cached_property
    def _password(self) -> str:
        return kept_password(self._data_dir / "valkey.password")


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
