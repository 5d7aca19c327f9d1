"""/v1/inbox and /v1/preferences for readers, /unsubscribe for mails, /admin/notifications."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from pydantic import Field

from student_hub.notifications.rendering import unsubscribe_page
from student_hub.notifications.schemas import (
    InboxPage,
    Notification,
    NotificationFilter,
    NotificationPage,
    Preferences,
    PreferencesIn,
    Resolution,
)
from student_hub.notifications.service import MOST_LISTED, Notifications
from student_hub.notifications.wishes import Wishes
from student_hub.platform.http.deps import CallerDep, part

router = APIRouter(tags=["notifications"])
FILTERS = frozenset(NotificationFilter.model_fields)
NotificationsDep = Annotated[Notifications, part(Notifications)]
WishesDep = Annotated[Wishes, part(Wishes)]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
Token = Annotated[str, Query(max_length=100, description="From the link in the mail.")]


class Wanted(NotificationFilter):
    """Which page of which notifications."""

    cursor: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = 50


@router.get("/v1/inbox", summary="Read my messages, the newest first")
async def read_inbox(
    notifications: NotificationsDep,
    caller: CallerDep,
    unread: bool = False,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> InboxPage:
    """Lists the caller's own messages, in their language; `unread=true` leaves out the others."""
    return await notifications.inbox(caller, unread=unread, cursor=cursor, limit=limit)


@router.post("/v1/inbox/{notification_id}/read", status_code=204, summary="Mark a message read")
async def mark_read(
    notification_id: UUID, notifications: NotificationsDep, caller: CallerDep
) -> None:
    """Notes that the caller has read it; a second time changes nothing."""
    await notifications.mark_read(caller, notification_id)


@router.get("/v1/preferences", summary="Read how I want to hear")
async def read_preferences(wishes: WishesDep, caller: CallerDep) -> Preferences:
    """The caller's own preferences, and the secret that signs messages to their webhook."""
    return await wishes.read(caller)


@router.put("/v1/preferences", summary="Say how I want to hear")
async def store_preferences(
    wanted: PreferencesIn, wishes: WishesDep, caller: CallerDep
) -> Preferences:
    """Replaces the caller's preferences as a whole; addresses are stored sealed."""
    return await wishes.store(caller, wanted)


@router.get("/unsubscribe", summary="The page of a mail's link", response_class=HTMLResponse)
async def unsubscribe_form(token: Token, wishes: WishesDep) -> HTMLResponse:
    """Asks once more: mail programs look at links ahead of their readers."""
    return _page(unsubscribe_page(await wishes.language_of(token), done=False))


@router.post("/unsubscribe", summary="No more mails about reports", response_class=HTMLResponse)
async def unsubscribe(token: Token, wishes: WishesDep) -> HTMLResponse:
    """Ends mails about reports to whoever got that mail (one click, RFC 8058)."""
    language = await wishes.language_of(token)
    await wishes.unsubscribe(token)
    return _page(unsubscribe_page(language, done=True))


@router.get("/admin/notifications", summary="Read the log of messages, the newest first")
async def list_notifications(
    wanted: Annotated[Wanted, Query()], notifications: NotificationsDep, caller: CallerDep
) -> NotificationPage:
    """Lists messages; with `state=unknown` those about which a person has to decide."""
    chosen = NotificationFilter.model_construct(**wanted.model_dump(include=set(FILTERS)))
    return await notifications.page(caller, chosen, cursor=wanted.cursor, limit=wanted.limit)


@router.post("/admin/notifications/{notification_id}/retry", summary="Send a message again")
async def retry_notification(
    notification_id: UUID, notifications: NotificationsDep, caller: CallerDep
) -> Notification:
    """Sends one that is unknown, failed, dead or held; 409 for any other."""
    return await notifications.retry(caller, notification_id)


@router.post("/admin/notifications/{notification_id}/resolve", summary="Say what became of one")
async def resolve_notification(
    notification_id: UUID, said: Resolution, notifications: NotificationsDep, caller: CallerDep
) -> Notification:
    """Writes down whether one that nobody could tell of was sent, without sending anything."""
    return await notifications.resolve(caller, notification_id, sent=said.sent)


def _page(html: str) -> HTMLResponse:
    headers = {"Content-Security-Policy": "default-src 'none'; form-action 'self'"}
    return HTMLResponse(html, headers={**headers, "Referrer-Policy": "no-referrer"})
