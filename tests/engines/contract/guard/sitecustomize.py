"""Imported by every Python that has this folder on its path, before anything else.

What goes to another machine fails, and is written down in the file that `AT_HOME_LOG` names.
Python tells these hooks of all that its own sockets do; they cannot be taken off again.
"""

import ipaddress
import os
import sys

_WITH_ADDRESS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_WITH_HOST = ("socket.getaddrinfo", "socket.gethostbyname")


def _is_here(host: object) -> bool:
    try:
        return host in (None, "", "localhost") or ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in _WITH_ADDRESS:
        address = arguments[1]
        if not isinstance(address, tuple) or _is_here(address[0]):
            return
    elif event not in _WITH_HOST or _is_here(arguments[0]):
        return
    with open(os.environ["AT_HOME_LOG"], "a", encoding="utf-8") as log:  # noqa: PTH123
        log.write(f"{event} {arguments[0]} {arguments[1]}\n")
    raise OSError("the network is not there")


sys.addaudithook(_watch)
