import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from entry.stack.driven import NOBODY, folder_of_nobody, ordinary_python, start
from student_hub.entry.stack.errors import StackError
from student_hub.entry.stack.folder import open_folder
from student_hub.entry.stack.postgres import EmbeddedPostgres
from student_hub.entry.stack.private import write_private

pytestmark = pytest.mark.requirement("up-clear-refusals")


def test_a_new_folder_is_shut_to_others(new_folder: Path) -> None:
    """Others can neither list nor enter it; as root one account may pass through."""
    folder = open_folder(new_folder / "data")
    allowed = 0o710 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE(folder.stat().st_mode) == allowed
    assert stat.S_IMODE((folder / "logs").stat().st_mode) == 0o700


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    """A home that is used as a data folder is opened to nobody."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    assert open_folder(home) == home
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_file_is_refused(tmp_path: Path) -> None:
    """The sentence names the place and the option that chooses another."""
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StackError, match=f"{file} is not a folder: .* --data-dir"):
        open_folder(file)
    with pytest.raises(StackError, match="is not a folder"):
        open_folder(file / "below")


def test_a_first_start_needs_space(tmp_path: Path) -> None:
    """A disk too small is told before anything is written to it; later starts do not ask."""
    with pytest.raises(StackError, match=r"MB free and a first start needs 1000000000 MB"):
        open_folder(tmp_path, needed=10**15)
    (tmp_path / "pgdata").mkdir()
    assert open_folder(tmp_path, needed=10**15) == tmp_path


@pytest.mark.usefixtures("root")
def test_what_root_made_is_refused_to_an_ordinary_user(new_folder: Path) -> None:
    """Whoever started once as root reads what to do instead of a failure of some server."""
    write_private(open_folder(new_folder) / "postgres.password", "secret")
    refused = start(folder_of_nobody(new_folder), ordinary_python(), NOBODY)
    said, _ = refused.communicate(timeout=30)
    assert refused.returncode == 1
    assert said.endswith(
        "belongs to another account: start as the one that made it, "
        "or choose another place with --data-dir DIR.\n"
    )


@pytest.mark.usefixtures("root")
def test_root_does_not_spoil_the_folder_of_an_ordinary_user(new_folder: Path) -> None:
    """Started as root by mistake, it says so before it leaves files that the user cannot read."""
    write_private(open_folder(new_folder) / "postgres.password", "secret")
    shutil.chown(new_folder / "postgres.password", NOBODY)
    with pytest.raises(StackError, match=r"postgres.password belongs to another account"):
        open_folder(new_folder)


@pytest.fixture
def small_disk(new_folder: Path) -> Iterator[Path]:
    """A file system of 12 MB, which only root can mount and not even root in many containers."""
    new_folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=12m,mode=755", "tmpfs", str(new_folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this needs a small disk, and none can be mounted here")
    yield new_folder
    subprocess.run(["/bin/umount", "--lazy", str(new_folder)], check=True)


def test_a_disk_that_fills_up_during_the_first_start_is_one_sentence(small_disk: Path) -> None:
    """Its cause is named, and no half cluster stays."""
    folder = open_folder(small_disk, needed=0)
    with pytest.raises(
        StackError, match=r"^PostgreSQL could not make its database: the disk is full"
    ):
        EmbeddedPostgres(folder).prepare()
    assert not list(folder.glob("pgdata*"))


def test_a_full_disk_is_told_when_a_small_file_is_written(small_disk: Path) -> None:
    """Even a password file is whole or not there."""
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "filler").write_bytes(bytes(20_000_000))
    with pytest.raises(StackError, match="the disk is full"):
        write_private(small_disk / "file", "x" * 100_000)
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
