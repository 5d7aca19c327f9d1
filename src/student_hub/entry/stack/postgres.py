import asyncio
import signal
import subprocess
from functools import cached_property, partial
from pathlib import Path
from urllib.parse import quote

from student_hub.entry.stack import cluster, postmaster
from student_hub.entry.stack.binaries import Account, postgres_bin, server_account, system_dir
from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.ports import LOOPBACK, kept_port, read_port
from student_hub.entry.stack.private import kept_password
from student_hub.entry.stack.program import Program, plain_environment

DATABASE = "student_hub"
_MAKE_DATABASE = (
    f"SELECT 'CREATE DATABASE {DATABASE}' "  # noqa: S608 - a constant
    f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
)
_FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedPostgres:
    """A PostgreSQL of our own in a data folder, as a plain child process.

    With `durable=False` it forgets on a power cut what it was told: faster, for tests only.
    """

    def __init__(
        self, data_dir: Path, port: int = 0, *, durable: bool = True, fallback: Path | None = None
    ) -> None:
        self._data_dir = data_dir.resolve()
        self._wanted_port = self._port = port
        self._durable = durable
        self._fallback = fallback or system_dir()

    def prepare(self) -> None:
        """Make the database files if there are none, and choose the port; raises StackError.

        Takes half a second the first time; blocks.
        """
        major = self._version.split(".", maxsplit=1)[0]
        if not cluster.exists(self.pgdata, major):
            how = cluster.Initdb(self._bin, self._account, self._password, self._durable)
            cluster.create(self.pgdata, how)
        postmaster.settle(self.pgdata)
        self._port = kept_port(self._port_file, self._wanted_port)

    @cached_property
    def pgdata(self) -> Path:
        """Where the database files are: the data folder, or a place that the account can reach."""
        return cluster.locate(self._data_dir, self._account, self._fallback)

    @property
    def port(self) -> int:
        """The port on 127.0.0.1, kept in the data folder; 0 before the first `prepare`."""
        return self._port or read_port(self._port_file)

    @property
    def url(self) -> str:
        """The address of the database `student_hub`, for its superuser, password included."""
        password = quote(self._password, safe="")
        return f"postgresql://{cluster.SUPERUSER}:{password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def program(self) -> Program:
        """The server as a program; call `prepare` before it starts."""
        runs_as = cluster.owner(self.pgdata, self._account)
        return Program(
            name="postgres",
            argv=(str(self._bin / "postgres"), "-D", str(self.pgdata), *self._options()),
            env=plain_environment(),
            cwd=self.pgdata.parent,
            stop_signal=signal.SIGINT,  # fast: rolls back what is open, and writes all down
            hard_signal=signal.SIGQUIT,  # at once: recovers at the next start
            stop_grace=20.0,
            ready=self._ready,
            ready_within=300.0,  # a recovery after a crash replays up to max_wal_size
            before=partial(postmaster.settle, self.pgdata),
            user=runs_as.uid if runs_as else None,
            group=runs_as.gid if runs_as else None,
        )

    def _options(self) -> list[str]:
        fixed = (f"port={self.port}", f"listen_addresses={LOOPBACK}", "unix_socket_directories=")
        settings = (*fixed, *(() if self._durable else _FORGETFUL))
        return [part for setting in settings for part in ("-c", setting)]

    async def _ready(self) -> bool:
        return postmaster.is_ready(self.pgdata) and await self._has_database()

    async def _has_database(self) -> bool:
        psql = await asyncio.create_subprocess_exec(
            *(str(self._bin / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"),
            *(f"--host={LOOPBACK}", f"--port={self.port}", f"--username={cluster.SUPERUSER}"),
            *("--dbname=postgres", "--file=-"),
            env={**plain_environment(), "PGPASSWORD": self._password, "PGCONNECT_TIMEOUT": "5"},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _, said = await psql.communicate(_MAKE_DATABASE.encode())
        if b"password authentication failed" in said:
            raise StackError(
                f"PostgreSQL does not know the password in {self._password_file}: "
                "put the file back as it was when the data folder was made."
            )
        return psql.returncode == 0

    @property
    def _password_file(self) -> Path:
        return self._data_dir / "postgres.password"

    @property
    def _port_file(self) -> Path:
        return self._data_dir / "postgres.port"

    @cached_property
    def _account(self) -> Account | None:
        return server_account()

    @cached_property
    def _bin(self) -> Path:
        return postgres_bin(self._account, self._fallback)

    @cached_property
    def _password(self) -> str:
        return kept_password(self._password_file)

    @cached_property
    def _version(self) -> str:
        said = subprocess.run(  # noqa: S603 - our own binary
            [str(self._bin / "postgres"), "-V"], capture_output=True, text=True, check=True
        )
        return said.stdout.split()[-1]
