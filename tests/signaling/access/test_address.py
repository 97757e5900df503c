"""A client is known by its own address, and cannot lend itself another."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from signaling.access.address import Addresses, is_loopback, named

PROXY = "10.0.0.1"


def address(remote: str, *forwarded: str, trusted: tuple[str, ...] = ("10.0.0.0/8", "::1")) -> str:
    headers = CIMultiDict([("X-Forwarded-For", one) for one in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    return Addresses(trusted).of(request)


def test_what_anybody_else_says_of_themselves_is_not_believed() -> None:
    assert address("198.51.100.7", "203.0.113.9") == "198.51.100.7"
    assert address(PROXY, "203.0.113.9", trusted=()) == PROXY


def test_a_trusted_proxy_tells_for_whom_it_stands() -> None:
    assert address(PROXY, "203.0.113.9") == "203.0.113.9"
    assert address("::1", "203.0.113.9") == "203.0.113.9"
    assert address("::ffff:10.0.0.1", "203.0.113.9") == "203.0.113.9"


def test_the_last_one_that_a_trusted_proxy_names_counts() -> None:
    """Whatever stands before it came from the client."""
    assert address(PROXY, "192.0.2.1, 203.0.113.9") == "203.0.113.9"
    assert address(PROXY, "192.0.2.1", "203.0.113.9, 10.0.0.2") == "203.0.113.9"
    assert address(PROXY, "10.9.9.9, 203.0.113.9, 10.0.0.2") == "203.0.113.9"


@pytest.mark.parametrize("wrong", ["", "unknown", "203.0.113.9:4711", "evil", "1.2.3.4.5"])
def test_a_chain_that_makes_no_sense_ends_there(wrong: str) -> None:
    assert address(PROXY, wrong) == PROXY
    assert address(PROXY, f"{wrong}, 203.0.113.9") == "203.0.113.9"


def test_one_ipv6_network_is_one_client() -> None:
    assert named("2001:db8:1:2:3:4:5:6") == named("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert named("2001:db8:1:3::1") != named("2001:db8:1:2::1")
    assert named("::ffff:192.0.2.1") == "192.0.2.1"
    assert named("") == "unknown"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST", "a.localhost"]
)
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "192.0.2.1", "localhost.example.org", "127.0.0.1.example.org", "voice"],
)
def test_nothing_else_is_this_machine(host: str) -> None:
    assert not is_loopback(host)
