"""A script, run by path and alone: ties itself to its starter, then becomes the real program.

Arguments: starter's pid, guard's pipe, stop signal, hard signal, grace, uid, gid (or -), then argv.
Not a preexec_fn: that runs Python after a fork, and the starter has threads (asyncio's child
watcher before 3.12, a progress bar); this costs 12 ms and no memory, for it becomes the program.
All imports stand on top: the account that it changes to may not reach this Python.
"""

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def die_with_starter(signal_number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal_number, 0, 0, 0)


def become_account(uid: str, gid: str) -> None:
    if gid != "-":
        os.setgroups([])
        os.setgid(int(gid))
    if uid != "-":
        os.setuid(int(uid))


def main(arguments: list[str]) -> None:
    starter, pipe, stop, hard, grace, uid, gid, *argv = arguments
    os.write(int(pipe), f"+ {os.getpid()} {stop} {hard} {grace}\n".encode())
    os.set_inheritable(int(pipe), False)
    become_account(uid, gid)
    die_with_starter(int(stop))  # after the change of account, which would clear it
    if os.getppid() != int(starter):
        sys.exit("the supervisor is gone")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that is inherited
    try:
        os.execv(argv[0], argv)  # noqa: S606 - running a program is what it is for
    except OSError as error:
        sys.exit(f"cannot run {argv[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
