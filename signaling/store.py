"""Where handlers find what is kept of users."""

from __future__ import annotations

from aiohttp import web

from inzwa_rtc.store import Store

STORE: web.AppKey[Store] = web.AppKey("store", Store)
"""`request.app[STORE]`: users with their settings, and keys."""
