"""Self-hosted voice calls: the call itself, from packets in to speech out."""

from importlib.metadata import version

__version__ = version("inzwa-rtc")
