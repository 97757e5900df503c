"""Access to a TURN server: what coturn takes, and what it does not."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from time import time

import pytest
from aioice import stun, turn
from pydantic import SecretStr

from inzwa_rtc.settings import Settings
from inzwa_rtc.transport.relay import IceServer, Relay, password
from tests.support.coturn import SECRET, coturn

SETTINGS = Settings(
    turn_urls=("turn:turn.example.org",), turn_secret=SecretStr(SECRET), turn_lifetime_s=300
)
STALE_NONCE = 438


def relay() -> Relay:
    made = Relay.of(SETTINGS)
    assert made is not None
    return made


def test_the_password_is_the_hmac_of_the_name() -> None:
    """RFC 2202, section 3, test case 2."""
    digest = bytes.fromhex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
    assert b64decode(password("Jefe", "what do ya want for nothing?")) == digest


def test_the_name_says_until_when_it_holds_and_nobody_shares_it() -> None:
    one, other = relay().access(1000.9), relay().access(1000.9)
    expiry, _, who = one.username.partition(":")
    assert int(expiry) == 1300
    assert who != other.username.partition(":")[2]
    assert one.credential == password(SECRET, one.username)


def test_no_secret_stands_in_what_is_printed_of_it() -> None:
    one = relay().access(1000)
    assert SECRET not in repr(relay())
    assert one.credential not in repr(one)


def test_without_a_server_nobody_is_told_of_one() -> None:
    assert Relay.of(Settings()) is None


async def allocated(port: int, access: IceServer) -> None:
    """Ask for a relayed address. Raises what aioice does."""
    while True:
        try:
            transport, _ = await turn.create_turn_endpoint(
                asyncio.DatagramProtocol, ("127.0.0.1", port), access.username, access.credential
            )
        except stun.TransactionFailed as error:
            # On a busy machine aioice asks twice, and has then two nonces, one of them stale.
            if code_of(error) != STALE_NONCE:
                raise
        else:
            return transport.close()


def code_of(error: stun.TransactionFailed) -> int:
    code: int = error.response.attributes["ERROR-CODE"][0]
    return code


@pytest.mark.parametrize("case", ["expired", "forged", "prolonged", "of nobody"])
async def test_coturn_lets_in_who_has_good_credentials_and_nobody_else(case: str) -> None:
    good = relay().access(time())
    expiry, _, who = good.username.partition(":")
    bad = {
        "expired": relay().access(time() - 301),
        "forged": replace(good, credential=password("another-secret-entirely", good.username)),
        "prolonged": replace(good, username=f"{int(expiry) + 600}:{who}"),
        "of nobody": replace(good, username=who),
    }
    async with coturn() as server:
        await allocated(server.port, good)
        with pytest.raises(stun.TransactionFailed) as refused:
            await allocated(server.port, bad[case])
        assert code_of(refused.value) == 401
        await allocated(server.port, good)


class OverIPv6(turn.TurnClientUdpProtocol):
    """Asks for a relayed address of IPv6 (RFC 8656, section 7.1)."""

    async def request(self, request: stun.Message) -> tuple[stun.Message, tuple[str, int]]:
        if request.message_method == stun.Method.ALLOCATE:
            request.attributes["REQUESTED-ADDRESS-FAMILY"] = b"\x02\x00\x00\x00"
        return await super().request(request)


@pytest.mark.parametrize(
    ("client", "server_side", "others"),
    [
        (turn.TurnClientUdpProtocol, "127.0.0.1", ["192.0.2.1", "10.0.0.1"]),
        (OverIPv6, "::1", ["fd00::1234", "2001:db8::5", "::ffff:10.0.0.1"]),
    ],
    ids=["IPv4", "IPv6"],
)
async def test_the_relay_reaches_the_server_and_nothing_else(
    client: type[turn.TurnClientUdpProtocol],
    server_side: str,
    others: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Set up as docs/turn.md has it."""
    family = (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_bytes, stun.unpack_bytes)
    monkeypatch.setitem(stun.ATTRIBUTES_BY_NAME, family[1], family)
    async with coturn() as server:
        access = relay().access(time())
        where = ("127.0.0.1", server.port)
        protocol = client(
            where, access.username, access.credential, lifetime=600, channel_refresh_time=500
        )
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: protocol, remote_addr=where)
        relayed = await protocol.connect()
        assert (":" in relayed[0]) == (":" in server_side)
        await protocol.channel_bind(0x4001, (server_side, 50_000))
        for number, other in enumerate(others):
            with pytest.raises(stun.TransactionFailed) as refused:
                await protocol.channel_bind(0x4002 + number, (other, 50_000))
            assert code_of(refused.value) == 403
        await protocol.delete()
        transport.close()


def test_the_documentation_says_what_is_tested() -> None:
    told = (Path(__file__).parents[2] / "docs" / "turn.md").read_text(encoding="utf-8")
    for line in ("denied-peer-ip=0.0.0.0-255.255.255.255", f"denied-peer-ip=::-{'ffff:' * 7}ffff"):
        assert f"\n{line}\n" in told
