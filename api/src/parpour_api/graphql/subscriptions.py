"""The one subscription: what happens in a tenant, event by event, from any position on.

Whoever was cut off asks again with the last position that came, and misses nothing and gets nothing twice. Who also
names the event that came there is told if a backup was restored meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry
from strawberry.types import Info

from parpour_api.errors import ApiError
from parpour_api.graphql.following import check_place
from parpour_api.graphql.session import number
from parpour_api.graphql.types import Event, session_of
from parpour_controlplane.events import page_of_events

PAGE = 100
"""Events that are read at once, and so the most that wait in the process for one follower."""


@strawberry.type(description="What can be followed, over a WebSocket with graphql-transport-ws.")
class Subscription:
    """The root of subscriptions."""

    @strawberry.subscription(description="What happens, by its place: first what has happened since, then the rest.")
    async def events(
        self,
        info: Info,
        after: Annotated[
            strawberry.ID, strawberry.argument(description="Only what comes after this position; 0 for everything.")
        ],
        after_event: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Id of the event that was had at that position: refused if another one stands there now."
            ),
        ] = None,
    ) -> AsyncGenerator[Event, None]:
        """Events after a position, until the follower ends it."""
        session = session_of(info)
        position = 0 if after == "0" else number(after)
        if position is None:
            raise ApiError("API_POSITION_UNKNOWN")
        service = session.service
        async with service.tails.of(session.principal.tenant) as tail:
            if after_event is not None and position:
                await check_place(service.database.pool, session.context(), position, after_event.lower())
            while True:
                await tail.beyond(position)
                rows = await page_of_events(service.database.pool, session.context(), after=position, limit=PAGE)
                for row in rows:
                    position = row.position
                    yield Event.of(row, session)
