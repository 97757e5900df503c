"""The shipped tools: what the time is, and what the weather is like."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

import pytest

from inzwa_rtc.engines.contracts import ToolCall
from inzwa_rtc.errors import ConfigError
from inzwa_rtc.settings.tools import TimeEntry, ToolSettings
from inzwa_rtc.tools.clock import Clock, clock
from inzwa_rtc.tools.loading import opened
from inzwa_rtc.tools.toolbox import Toolbox
from tests.engines.remote.fake_server import FakeServer, answers

AT = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
FORECAST = {
    "current_units": {"temperature_2m": "°C", "wind_speed_10m": "km/h"},
    "current": {"temperature_2m": 24.3, "weather_code": 2, "wind_speed_10m": 9.0},
    "daily": {
        "time": ["2026-03-01", "2026-03-02"],
        "weather_code": [80, 0],
        "temperature_2m_max": [27.1, 30.0],
        "temperature_2m_min": [15.0, 16.5],
        "precipitation_probability_max": [60, 5],
    },
}


def at(zone: tzinfo | None) -> datetime:
    return AT.astimezone(zone)


def timekeeper(**members: Any) -> Clock:
    made = clock("time", TimeEntry(source="time", **members), "tools.use.time")
    return Clock(
        *(made.spec, made.gate, made.filler, made.timeout_s, False, made.zone, made.places, at)
    )


async def test_the_time_is_that_of_the_zone_and_so_is_the_day() -> None:
    here = timekeeper(zone="Africa/Harare", places={"Tokyo": "Asia/Tokyo"})
    assert await here.run({}) == "It is 00:30 on Monday, 2 March 2026."
    assert await here.run({"place": "Tokyo"}) == "It is 07:30 on Monday, 2 March 2026 in Tokyo."


async def test_a_place_that_is_not_known_is_refused() -> None:
    here = timekeeper(places={"Tokyo": "Asia/Tokyo"})
    told = await Toolbox().run(here, ToolCall("time", {"place": "Atlantis"}, "1"))
    assert told.startswith("Error: The arguments are wrong")


@pytest.mark.parametrize("zone", ["Africa/Atlantis", "../../etc/passwd", "", "/etc/passwd"])
def test_a_zone_that_there_is_not_is_refused_by_its_place(zone: str) -> None:
    with pytest.raises(ConfigError, match=r"tools\.use\.time\.zone"):
        timekeeper(zone=zone)


async def weather(url: str, arguments: dict[str, Any], **members: Any) -> str:
    places = {
        "Harare": {"latitude": -17.83, "longitude": 31.05},
        "Gweru": {"latitude": -19.45, "longitude": 29.82},
    }
    entry = {"source": "weather", "url": url, "places": places, **members}
    toolbox = await opened(ToolSettings.model_validate({"use": {"weather": entry}}))
    try:
        return (await toolbox.run(toolbox.tools[0], ToolCall("weather", arguments, "1"))).text
    finally:
        await toolbox.close()


@pytest.fixture
async def server() -> Any:
    async with FakeServer().running() as running:
        yield running


async def test_a_forecast_of_open_meteo_s_form_is_told_in_words(server: FakeServer) -> None:
    server.will(answers(FORECAST))
    url = f"{server.url}/v1/{{latitude}}/{{longitude}}"
    assert await weather(url, {}) == (
        "The weather in Harare. Now: 24.3 °C, partly cloudy, wind 9 km/h. "
        "Sunday: light showers, 15 to 27.1 °C, 60 % chance of rain. "
        "Monday: clear sky, 16.5 to 30 °C, 5 % chance of rain."
    )
    assert (await weather(url, {"place": "Gweru"})).startswith("The weather in Gweru.")
    assert [asked.path for asked in server.asked] == ["/v1/-17.83/31.05", "/v1/-19.45/29.82"]


async def test_another_service_s_values_are_picked_by_pointers(server: FakeServer) -> None:
    server.will(answers({"now": {"t": 24}, "text": "Sunny"}))
    values = {"temperature": "/now/t", "sky": "/text"}
    told = await weather(f"{server.url}/{{place}}", {}, format="generic", values=values)
    assert told == "The weather in Harare. temperature: 24; sky: Sunny."


@pytest.mark.parametrize(
    "answer",
    [
        *({}, [], None, "sunny", {"current": 7}, {"current": {"temperature_2m": "hot"}}),
        {"daily": {"time": ["2026-03-01"], "weather_code": []}},
        {"daily": {"time": ["yesterday"]}},
        {"daily": {"time": 7}},
        {"daily": []},
        {"current": {"weather_code": [1]}},
    ],
    ids=str,
)
async def test_what_is_no_forecast_is_told_as_a_failure(server: FakeServer, answer: Any) -> None:
    server.will(answers(answer))
    assert (await weather(server.url, {})).startswith("Error: The service's answer is no forecast")
