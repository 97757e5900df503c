"""Users, for administrators: who they are, whether they may use voice, what their speech has
cost, and an end of all that is known of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inzwa_rtc.settings import Settings
from inzwa_rtc.speech.cost import Cost
from inzwa_rtc.store import Store
from inzwa_rtc.users import User
from signaling.api.body import bad_json, read_json
from signaling.api.operation import Answer, JsonBody, Operation
from signaling.calls import Calls
from signaling.operations.preferences import Choices, Chosen, Preferences, chosen
from signaling.switchboard import Switchboard

TAG = "admin"


class UserShown(BaseModel):
    """A user, by the application's own name for them. `settings` are what they have chosen, which
    does not count while an administrator has voice taken from them (`is_disabled`)."""

    id: str
    created_at: datetime
    is_disabled: bool
    settings: Chosen


class UserPage(BaseModel):
    """Users in the order of their ids; `next` is what to give as `after` for those that follow,
    null at the end."""

    users: list[UserShown]
    next: str | None


class PageQuery(BaseModel):
    """Which users are asked for: those whose ids come behind `after`."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    after: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class UserChange(BaseModel):
    """What is to be changed of a user; what is left out stays."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    is_disabled: bool | None = None
    settings: Choices | None = None


class SpentLine(BaseModel):
    """What a user has had from one model: `cost` by currency, as decimal numbers. `unpriced`
    characters have no price in the table."""

    engine: str
    model: str
    characters: int
    unpriced: int
    cost: dict[str, str]


class Spent(BaseModel):
    """What speech a user was given since the server started, in requests and in calls that are
    over, and what that cost."""

    characters: int
    unpriced: int
    cost: dict[str, str]
    lines: list[SpentLine]


class AdminUsers:
    """The handlers of `/v1/admin/users`."""

    def __init__(
        self,
        calls: Calls,
        switchboard: Switchboard[Any],
        store: Store,
        preferences: Preferences,
        settings: Settings,
    ) -> None:
        self._calls = calls
        self._switchboard = switchboard
        self._store = store
        self._preferences = preferences
        self._limit = settings.limits.json_body

    def operations(self) -> list[Operation]:
        """To be added to the application."""
        one = "/v1/admin/users/{id}"
        shown = (Answer(200, "The user, as they are now.", UserShown),)
        return [
            Operation(
                *("GET", "/v1/admin/users", self.list, "All users"),
                access="admin",
                tag=TAG,
                query=PageQuery,
                answers=(Answer(200, "Some of them, in order.", UserPage),),
            ),
            Operation(*("GET", one, self.show, "One user"), access="admin", tag=TAG, answers=shown),
            Operation(
                *("PATCH", one, self.change, "Change a user, or take voice from them"),
                access="admin",
                tag=TAG,
                body=(JsonBody(UserChange),),
                answers=shown,
                refusals=(413, 415),
            ),
            Operation(
                *("DELETE", one, self.delete, "Forget a user"),
                access="admin",
                tag=TAG,
                answers=(Answer(204, "Nothing is known of them any more.", media_type=""),),
            ),
            Operation(
                *("GET", f"{one}/spending", self.spending, "What a user's speech has cost"),
                access="admin",
                tag=TAG,
                answers=(Answer(200, "It has cost this.", Spent),),
            ),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Users of whom something is kept: they have chosen something, or have a key."""
        try:
            query = PageQuery.model_validate(dict(request.query))
        except (ValidationError, UnicodeError) as error:
            raise bad_json(error) from None
        users = await self._store.users.listed(query.after, query.limit)
        is_full = len(users) == query.limit
        page = UserPage(users=[_shown(user) for user in users], next=None)
        return _told(page.model_copy(update={"next": users[-1].id if is_full else None}))

    async def show(self, request: web.Request) -> web.Response:
        """Somebody of whom nothing is kept has the server's own settings: nobody has to be
        registered."""
        return _told(_shown(await self._store.users.get(request.match_info["id"])))

    async def change(self, request: web.Request) -> web.Response:
        """With `is_disabled` their live calls end, and they may do nothing by voice until it is
        taken back, whatever they choose. Nothing is changed where anything is wrong."""
        user_id = request.match_info["id"]
        change = await read_json(request, UserChange, self._limit)
        changes = self._preferences.checked(change.settings or Choices())
        users = self._store.users
        if change.is_disabled is not None:
            user = await users.set_disabled(user_id, change.is_disabled, **changes)
        elif changes:
            user = await users.change(user_id, **changes)
        else:
            user = await users.get(user_id)
        if change.is_disabled:
            self._calls.end_of_user(user_id)
        return _told(_shown(user))

    async def delete(self, request: web.Request) -> web.Response:
        """Their settings, keys, tokens and figures are deleted, and their live calls end."""
        await self._store.users.delete(request.match_info["id"])
        return web.Response(status=204)

    async def spending(self, request: web.Request) -> web.Response:
        """Since the server started. A call counts once it is over. What was counted stays in the
        total of the server when the user is deleted, without their name."""
        lines = self._switchboard.now.spending.of(request.match_info["id"])
        total = sum((line.cost for line in lines), Cost())
        told = Spent(
            characters=total.characters,
            unpriced=total.unpriced,
            cost=total.shown(),
            lines=[
                SpentLine(
                    engine=line.engine,
                    model=line.model,
                    characters=line.cost.characters,
                    unpriced=line.cost.unpriced,
                    cost=line.cost.shown(),
                )
                for line in lines
            ],
        )
        return _told(told)


def _shown(user: User) -> UserShown:
    return UserShown(
        id=user.id,
        created_at=user.created_at,
        is_disabled=user.is_disabled,
        settings=chosen(user.settings),
    )


def _told(model: BaseModel) -> web.Response:
    return web.json_response(text=model.model_dump_json())
