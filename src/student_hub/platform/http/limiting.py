"""The rate limit of routes: asked before a route runs, by what the table says it costs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from student_hub.platform.errors import Fact
from student_hub.platform.http.exchange import Exchange, exchange_of
from student_hub.platform.limits.costs import ORDINARY, Cost
from student_hub.platform.limits.permit import UNLIMITED, Permit
from student_hub.platform.security.caller import Caller

Ask: TypeAlias = Callable[[Caller, Cost], Permit]
Price: TypeAlias = Cost | Callable[[Fact], Cost]
"""What a route costs, or how that is read off the JSON of its body."""


def unlimited(caller: Caller, cost: Cost) -> Permit:
    """Asks nobody."""
    del caller, cost
    return UNLIMITED


def charge(ask: Ask, caller: Caller, cost: Cost, exchange: Exchange) -> Permit:
    """The permit for something of that cost, noted for the answer's headers."""
    permit = ask(caller, cost)
    if permit is not UNLIMITED:
        exchange.permits.append(permit)
    return permit


def per_item(field: str, cost: Cost = ORDINARY) -> Price:
    """Weighs as many as the body's list of that name has items."""

    def price(body: Fact) -> Cost:
        items = body.get(field) if isinstance(body, dict) else None
        count = len(items) if isinstance(items, list) else 1
        return Cost(cost.allowance, max(1, count) * cost.weight)

    return price


@dataclass(frozen=True, slots=True)
class Tariff:
    """Who gives permits, and what routes cost, by method and path ("POST /v1/x/{id}").

    A route without a price is one ordinary call. Those in `themselves` take a `PermitDep` and
    await it when they must; no other begins before it is granted.
    """

    ask: Ask = unlimited
    prices: Mapping[str, Price] = field(default_factory=dict)
    themselves: frozenset[str] = frozenset()


FREE = Tariff()


def limited(tariff: Tariff) -> Callable[[Request], Awaitable[None]]:
    """A dependency of every route: RateLimited before it runs."""

    async def limit(request: Request) -> None:
        caller = getattr(request.state, "caller", None)
        if not isinstance(caller, Caller):  # a public path
            return
        name = f"{request.method} {request.scope['route'].path}"
        price = tariff.prices.get(name, ORDINARY)
        cost = price if isinstance(price, Cost) else price(getattr(request.state, "json", None))
        permit = charge(tariff.ask, caller, cost, exchange_of(request.scope))
        if name not in tariff.themselves:
            await permit.granted()

    return limit


async def _permit(request: Request) -> Permit:
    permits = exchange_of(request.scope).permits
    return permits[-1] if permits else UNLIMITED


PermitDep = Annotated[Permit, Depends(_permit)]
"""The permit of this request, on its way: for a route that begins before it is known."""
