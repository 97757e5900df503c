"""The aiohttp application: the API, and the bundled page."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from inzwa_rtc.settings import Settings
from inzwa_rtc.store import Store
from signaling.access.gate import GATE, Gate
from signaling.access.minting import Minting
from signaling.admin import Admin
from signaling.admin_users import AdminUsers
from signaling.administration.operations import administration
from signaling.api.document import ApiDocument
from signaling.api.operation import add_operations
from signaling.api.uploads import UPLOADS, Uploads
from signaling.calls import Calls
from signaling.capabilities import Capabilities
from signaling.dictation import Dictations
from signaling.edge import add_security_headers, errors_as_json
from signaling.existing.plain import TAG, Plain
from signaling.existing.voice_capabilities import VoiceCapabilities
from signaling.existing.voice_hearing import VoiceHearing
from signaling.existing.voice_speech import VoiceSpeech
from signaling.ice import Relays
from signaling.info import Info
from signaling.offers import Offers
from signaling.operations.offering import Offering
from signaling.operations.preferences import Preferences
from signaling.operations.work import Work
from signaling.own_settings import OwnSettings
from signaling.pages import add_pages
from signaling.rest.native import NativeRest
from signaling.rest.openai.chat import OpenAIChat
from signaling.rest.openai.models import OpenAIModels
from signaling.rest.openai.speech import OpenAISpeech
from signaling.rest.openai.transcriptions import OpenAITranscriptions
from signaling.sites import Sites
from signaling.socket import Sockets
from signaling.store import STORE
from signaling.switchboard import Switchboard
from signaling.telemetry.requests import RequestWatch, know_operations
from signaling.telemetry.server import Metrics


def create_app(
    settings: Settings,
    calls: Calls,
    switchboard: Switchboard[Any],
    store: Store,
    work: Work,
) -> web.Application:
    """All routes over `calls` and `work`; owns nothing that runs."""
    sites = Sites(settings)
    requests = RequestWatch(calls.telemetry)
    app = web.Application(
        middlewares=[requests.watch, errors_as_json, sites.check],
        client_max_size=settings.limits.json_body,
    )
    app.on_shutdown.append(requests.note_end)
    app[STORE] = store
    app[UPLOADS] = Uploads(settings.limits.uploads)
    app[GATE] = gate = Gate(settings, store, calls.tokens)
    calls.when_void = gate.not_served
    app.on_response_prepare.extend([add_security_headers, sites.add_headers, requests.note_begin])
    store.users.when_deleted(gate.forget_user)
    relays = Relays(settings, gate)
    offering = Offering(switchboard)
    preferences = Preferences(store, offering)
    operations = [
        *Info(calls, switchboard).operations(),
        *Admin(switchboard).operations(),
        *administration(calls, switchboard),
        *AdminUsers(calls, switchboard, store, preferences, settings).operations(),
        *Offers(calls, settings, relays).operations(),
        *relays.operations(),
        *Sockets(calls, settings, gate).operations(),
        *Dictations(calls, settings, gate).operations(),
        *Capabilities(calls, offering).operations(),
        *OwnSettings(calls, preferences, settings, "/v1/settings", "users").operations(),
        *Plain(calls, offering, work).operations(),
        *VoiceSpeech(calls, offering, work).operations(),
        *VoiceHearing(calls, work, settings).operations(),
        *VoiceCapabilities(calls, offering).operations(),
        *OwnSettings(calls, preferences, settings, "/api/voice/settings", TAG).operations(),
        *NativeRest(work, settings.limits).operations(),
        *OpenAISpeech(work, switchboard, settings.limits).operations(),
        *OpenAITranscriptions(work, switchboard, settings.limits).operations(),
        *OpenAIChat(work, switchboard, settings.limits).operations(),
        *OpenAIModels(switchboard).operations(),
        *Minting(gate, settings.limits).operations(),
        *Metrics(calls.telemetry, calls, switchboard).operations(),
        *ApiDocument().operations(),
    ]
    add_operations(app, operations, gate, work.underway)
    know_operations(app)
    add_pages(app)
    return app
