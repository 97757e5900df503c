"""Decides who may ask for what: the one place where credentials are read.

| sent                    | is                                     | opens               |
|-------------------------|----------------------------------------|---------------------|
| nothing                 | anybody, where the server is open      | what callers may do |
| another program's key   | anybody, where the server is open      | what callers may do |
| the setting `admin_key` | the operator                           | all but new calls   |
| an API key              | its holder, as the user whom they name | what its scopes say |
| a start token           | the user for whom it was made          | one call            |
| a call token            | whoever began that call                | that call           |

Tokens are in memory and answered for at once; a key is looked up. Who sends wrong ones is slowed
down before the database is asked.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from time import monotonic

from aiohttp import web
from cachetools import LRUCache

from inzwa_rtc.settings import Settings
from inzwa_rtc.store import ApiKey, Store, keys
from inzwa_rtc.users import User, UserSettings
from signaling.access import call_tokens, refusals, start_tokens
from signaling.access.address import Addresses, is_on_this_machine
from signaling.access.bearer import bearer
from signaling.access.call_tokens import CallTokens
from signaling.access.caller import Caller, check_may_call
from signaling.access.opening import Opening
from signaling.access.quotas import Quotas
from signaling.access.start_tokens import Grant, StartTokens, is_start_token
from signaling.api.operation import Counted, Operation

USER_HEADER = "X-Inzwa-User"

_OURS = (f"{keys.PREFIX}_", start_tokens.PREFIX, call_tokens.PREFIX)
_GOOD = 1024  # keys that need not pass the rate of failures: as many as the store remembers


class Gate:
    """Satisfies `signaling.api.operation.Gate`. One for the whole server."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        calls: CallTokens,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.start_tokens = StartTokens()
        self.opening = Opening(settings, store.keys, now)
        self._store = store
        self._calls = calls
        self._now = now
        self._admin = settings.admin_key
        self._addresses = Addresses(settings.access.trusted_proxies)
        self._quotas = Quotas(settings.access)
        self._good: LRUCache[bytes, bool] = LRUCache(_GOOD)
        self._of_nobody = UserSettings(voice_mode=settings.default_voice_mode)

    async def admit(self, request: web.Request, operation: Operation) -> Caller:
        """As in `signaling.api.operation.Gate`."""
        if operation.access == "anyone":
            return Caller(settings=self._of_nobody)
        secret = await self._secret(request)
        address = self._addresses.of(request)
        if operation.access == "call":
            caller = await self._of_call(request, request.match_info["id"], secret, address)
        elif operation.access == "resume":
            caller = await self._of_resume(request, request.match_info["id"], secret, address)
        elif operation.access == "caller":
            caller = await self._of_caller(request, secret, address, operation.counted)
        else:
            caller = await self._of_operator(request, secret, address, operation)
        self._count(request, caller, address, operation.counted)
        return caller

    async def admit_start(self, request: web.Request, secret: str | None) -> Caller:
        """Who starts a call over a socket: `secret` is what the first message says, where the
        request itself said nothing. Raises as `admit`."""
        address = self._addresses.of(request)
        secret = await self._secret(request) or secret
        caller = await self._of_caller(request, secret, address, "calls")
        self._count(request, caller, address, "calls")
        return caller

    async def admit_resume(self, request: web.Request, call_id: str, secret: str | None) -> Caller:
        """Who takes up a call over a socket; `secret` as for `admit_start`. Raises as `admit`."""
        address = self._addresses.of(request)
        secret = await self._secret(request) or secret
        caller = await self._of_resume(request, call_id, secret, address)
        self._count(request, caller, address, "calls")
        return caller

    def not_served(self, caller: Caller) -> None:
        """What they asked for did not come about, or is no call: a start token may be used."""
        if caller.start_token is not None:
            self.start_tokens.give_back(caller.start_token)

    def forget_user(self, user: str) -> None:
        """This user is deleted: nothing goes by their name any more."""
        self.start_tokens.forget_user(user)
        self._calls.forget_user(user)

    async def mint(self, grant: Grant, life_s: float) -> str:
        """A start token. Raises `RateLimited`, and `Unavailable` where nobody can tell who its
        user is."""
        user = None if grant.user is None else await self._store.users.find(grant.user)
        if user is not None:
            grant = replace(grant, user_since=user.created_at)
        return self.start_tokens.mint(grant, self._now(), life_s)

    async def settings_of(self, user: str | None) -> UserSettings:
        """What this user has chosen. Raises `Unavailable` where it is not known whether they may
        use voice at all."""
        if user is None:
            return self._of_nobody
        return _in_force(await self._store.users.get(user))

    # --- one way for each kind of access ---

    async def _of_caller(
        self, request: web.Request, secret: str | None, address: str, counted: Counted
    ) -> Caller:
        if secret is None or await self._is_of_nobody(request, secret):
            return await self._anybody(request)
        if is_start_token(secret):
            if counted not in ("calls", "relays"):
                raise refusals.only_for_calls()
            return await self._of_start_token(secret, address)
        caller = await self._of_key(request, secret, address)
        begins_none = counted in ("engines", "requests")  # the dashboard's voices
        if "call" not in caller.scopes and not ("admin" in caller.scopes and begins_none):
            raise refusals.not_for_calls()
        return caller

    async def _of_resume(
        self, request: web.Request, call_id: str, secret: str | None, address: str
    ) -> Caller:
        """Of those whom a call is open to, whoever began it, while its user may call: to an
        operator it is not theirs to join."""
        caller = await self._of_call(request, call_id, secret, address)
        by_key = None if caller.has_call_token else caller.key_id
        if by_key is not None and self._calls.of_key(call_id, by_key, self._now()) is None:
            raise refusals.no_such_call()
        user = self._calls.user_of(call_id)
        if user is not None:
            check_may_call(replace(caller, settings=await self.settings_of(user)))
        return caller

    async def _of_call(
        self, request: web.Request, call_id: str, secret: str | None, address: str
    ) -> Caller:
        """Strangers are told the same of every call, be there one or none."""
        if secret is None or await self._is_of_nobody(request, secret):
            if self._calls.of_nobody(call_id, self._now()) and await self._is_open(request):
                return Caller(call_id=call_id, settings=self._of_nobody)
            raise refusals.call_token_needed()
        claim = self._calls.held(call_id, secret, self._now())
        if claim is not None:
            return replace(claim.owner, call_id=call_id, start_token=None, has_call_token=True)
        if secret.startswith(call_tokens.PREFIX) or is_start_token(secret):
            # After a restart many come back to calls that nobody knows: those are no guesses.
            if self._calls.knows(call_id, self._now()) or is_start_token(secret):
                self._failed(address)
            raise refusals.no_such_call()
        caller = await self._of_key(request, secret, address)
        if "admin" in caller.scopes:
            return replace(caller, call_id=call_id)
        key_id = caller.key_id or ""
        if self._calls.of_key(call_id, key_id, self._now()) is None:
            raise refusals.no_such_call()
        return replace(caller, call_id=call_id)

    async def _of_operator(
        self, request: web.Request, secret: str | None, address: str, operation: Operation
    ) -> Caller:
        if operation.access == "metrics" and await self._needs_no_key(request, secret):
            return Caller(settings=self._of_nobody)
        if secret is None:
            raise refusals.operator_only()
        caller = await self._of_key(request, secret, address)
        if "admin" not in caller.scopes:
            raise refusals.operator_only(403)
        return caller

    # --- who it is ---

    async def _secret(self, request: web.Request) -> str | None:
        """What is said of who asks. A password for a proxy is passed over where no key is needed.
        Raises `PeerError` (401)."""
        scheme = request.headers.get("Authorization", "").partition(" ")[0]
        if scheme.lower() == "basic" and await self._is_open(request):
            return None
        return bearer(request)

    async def _needs_no_key(self, request: web.Request, secret: str | None) -> bool:
        if secret is None:
            return await self._is_open(request)
        return await self._is_of_nobody(request, secret)

    async def _is_of_nobody(self, request: web.Request, secret: str) -> bool:
        """Whether it is what clients send that cannot do without a key, where none is needed:
        those of OpenAI's API send "unused" and the like."""
        if secret.startswith(_OURS) or self._is_bootstrap(secret):
            return False
        return await self._is_open(request)

    def _is_bootstrap(self, secret: str) -> bool:
        if self._admin is None:
            return False
        known = sha256(self._admin.get_secret_value().encode()).digest()
        return hmac.compare_digest(_digest(secret), known)

    async def _anybody(self, request: web.Request) -> Caller:
        if USER_HEADER in request.headers or not await self._is_open(request):
            raise refusals.nobody()
        return Caller(scopes=frozenset({"call"}), settings=self._of_nobody)

    async def _is_open(self, request: web.Request) -> bool:
        """Opened by nobody but its address, it is open for this machine: not for those whom a
        proxy passes on, nor for those who know it by another name."""
        if not await self.opening.is_open():
            return False
        return self.opening.is_set or is_on_this_machine(request)

    async def _of_start_token(self, token: str, address: str) -> Caller:
        grant = self.start_tokens.spend(token, self._now())
        if grant is None:
            self._failed(address)
            raise refusals.token_spent()
        try:
            user = None if grant.user is None else await self._store.users.get(grant.user)
        except BaseException:
            self.start_tokens.give_back(token)
            raise
        if user is not None and grant.user_since not in (None, user.created_at):
            # Deleted since, by another process: nobody has told this one.
            self._failed(address)
            raise refusals.token_spent()
        return Caller(
            grant.user,
            frozenset({"call"}),
            grant.key_id,
            settings=self._of_nobody if user is None else _in_force(user),
            session=grant.session,
            start_token=token,
        )

    async def _of_key(self, request: web.Request, secret: str, address: str) -> Caller:
        """Raises `PeerError` (401, 403, 429), and `Unavailable` where nobody can tell."""
        if self._is_bootstrap(secret):
            return Caller(scopes=frozenset({"admin"}), key_id="", settings=self._of_nobody)
        given = _digest(secret)
        if given not in self._good:
            self._quotas.check_failures(address, self._now())
        key = await self._store.keys.find(secret)
        if key is None:
            self._good.pop(given, None)
            self._failed(address)
            raise refusals.unknown()
        self._good[given] = True
        user = _user(request, key)
        return Caller(user, key.scopes, key.id, settings=await self.settings_of(user))

    # --- how often ---

    def _count(self, request: web.Request, caller: Caller, address: str, counted: Counted) -> None:
        """Whoever needs no key and is on this machine is not counted: that is development."""
        if caller.key_id is None and is_on_this_machine(request):
            return
        if caller.has_call_token:  # else one caller could spend all that the back end has
            who = f"call {caller.call_id}"
        elif caller.key_id is not None and caller.start_token is None:
            who = f"key {caller.key_id}"
        else:
            who = f"address {address}"
        try:
            self._quotas.check(counted, who, self._now())
        except BaseException:
            self.not_served(caller)
            raise

    def _failed(self, address: str) -> None:
        self._quotas.check_failures(address, self._now())
        self._quotas.failed(address, self._now())


GATE: web.AppKey[Gate] = web.AppKey("gate", Gate)
"""`request.app[GATE]`: for sockets, whose first message says who calls."""


def _in_force(user: User) -> UserSettings:
    if user.is_disabled:
        return replace(user.settings, voice_mode="disabled")
    return user.settings


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _user(request: web.Request, key: ApiKey) -> str | None:
    """Whom the request is made for: a key of one user's is for nobody else."""
    named = request.headers.get(USER_HEADER)
    if key.user is not None and named not in (None, key.user):
        raise refusals.not_your_user()
    return named if key.user is None else key.user
