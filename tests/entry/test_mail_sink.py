"""The demo's mails are kept on this machine and can be listed."""

import stat

import pytest

from servers import running_program, scratch_folder
from student_hub.entry import programs
from student_hub.entry.mail_sink import FOLDER, listed
from student_hub.entry.stack.ports import find_free
from student_hub.notifications.channel import Message, Outcome
from student_hub.notifications.mail import Mail
from student_hub.notifications.servers import MailServer
from student_hub.platform.clock import utc_now
from student_hub.platform.ids import new_id

pytestmark = pytest.mark.requirement("demo-mails")


async def test_a_mail_is_kept_as_a_file_of_its_owners_and_listed() -> None:
    """As its program runs under `up`; what it keeps is told by `student-hub mails`."""
    with scratch_folder() as folder:
        port = find_free()
        (folder / "logs").mkdir(exist_ok=True)
        with running_program(programs.mail_sink(port, folder), folder / "logs" / "mail.log"):
            mail = Mail(MailServer.of(f"smtp://127.0.0.1:{port}"), "hub@localhost", utc_now)
            to = "parent01@example.com"
            message = Message(new_id(utc_now()), to, "r", "새 학습 계획", "본문", "<p>", "k", {})
            assert (await mail.send(message)).outcome is Outcome.ACCEPTED
        (file,) = (folder / FOLDER).glob("*.eml")
        assert stat.S_IMODE(file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
        assert f"{to}  새 학습 계획" in listed(folder)
        assert "1 mails in" in listed(folder)
