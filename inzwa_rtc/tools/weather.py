"""The weather, now and in the next days, from a service that the operator names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from inzwa_rtc.engines.contracts import ToolSpec
from inzwa_rtc.settings.tools import WeatherEntry
from inzwa_rtc.tools.endpoint import filled_in
from inzwa_rtc.tools.gate import Gate
from inzwa_rtc.tools.tool import ToolFailed
from inzwa_rtc.tools.web import Web, as_text, picked

WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        *("weather", "forecast", "temperature", "rain*", "sunny", "cloud*", "wind*", "storm*"),
        *("hot", "cold", "warm", "umbrella", "degrees"),
    ),
    "sn": ("*okunze", "*naya*", "*mvura", "*pisa", "*tonhora", "*mhepo", "*makore", "*dutu"),
}

# Codes of present weather (WMO table 4677), as Open-Meteo groups them.
_SKIES = {
    0: "clear sky",
    1: "mainly clear",
    2: "partly cloudy",
    3: "overcast",
    45: "fog",
    48: "fog with rime",
    51: "light drizzle",
    53: "drizzle",
    55: "heavy drizzle",
    56: "freezing drizzle",
    57: "heavy freezing drizzle",
    61: "light rain",
    63: "rain",
    65: "heavy rain",
    66: "freezing rain",
    67: "heavy freezing rain",
    71: "light snow",
    73: "snow",
    75: "heavy snow",
    77: "snow grains",
    80: "light showers",
    81: "showers",
    82: "violent showers",
    85: "snow showers",
    86: "heavy snow showers",
    95: "thunderstorm",
    96: "thunderstorm with hail",
    99: "thunderstorm with heavy hail",
}
_DAYS = 7


@dataclass(frozen=True, slots=True)
class Weather:
    """`Tool` that asks the service."""

    spec: ToolSpec
    gate: Gate
    filler: Mapping[str, str]
    timeout_s: float
    changes: bool
    entry: WeatherEntry
    web: Web

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """As in `Tool`, in English: the model puts it into the caller's language."""
        entry = self.entry
        name = arguments.get("place", next(iter(entry.places)))
        place = entry.places[name]
        url = filled_in(
            entry.url,
            {"place": name, "latitude": place.latitude, "longitude": place.longitude},
        )
        headers = {name: value.get_secret_value() for name, value in entry.headers.items()}
        text = await self.web.fetch("GET", url, headers, timeout_s=entry.timeout_s)
        if entry.format == "generic":
            told = [f"{what}: {as_text(picked(text, at))}" for what, at in entry.values.items()]
            return f"The weather in {name}. {'; '.join(told)}."
        return f"The weather in {name}. {_open_meteo(text)}"


def weather(name: str, entry: WeatherEntry, web: Web) -> Weather:
    """The tool of these settings."""
    places = list(entry.places)
    schema = {
        "type": "object",
        "properties": {"place": {"type": "string", "enum": places}},
        "additionalProperties": False,
    }
    description = (
        "The weather now and in the next days. Without a place it is that of "
        f"{places[0]}; of other places than these nothing is known."
    )
    gate = Gate(entry.words or WORDS, always=entry.always)
    return Weather(
        ToolSpec(name, description, schema), gate, entry.filler, entry.timeout_s, False, entry, web
    )


def _open_meteo(text: str) -> str:
    """An answer of Open-Meteo's forecast, or of a service with the same form, in words."""
    try:
        answer = json.loads(text)
        told = [_now(answer), *_days(answer)]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ToolFailed("The service's answer is no forecast.") from None
    told = [sentence for sentence in told if sentence]
    if not told:
        raise ToolFailed("The service's answer is no forecast.")
    return " ".join(told)


def _now(answer: Mapping[str, Any]) -> str:
    now = answer.get("current")
    if not now:
        return ""
    units = answer.get("current_units", {})
    told = []
    if "temperature_2m" in now:
        told.append(f"{now['temperature_2m']:g} {units.get('temperature_2m', '°C')}")
    if "weather_code" in now:
        told.append(_sky(now["weather_code"]))
    if "wind_speed_10m" in now:
        told.append(f"wind {now['wind_speed_10m']:g} {units.get('wind_speed_10m', 'km/h')}")
    return f"Now: {', '.join(told)}." if told else ""


def _days(answer: Mapping[str, Any]) -> list[str]:
    daily = answer.get("daily", {})
    told = []
    for number, day in enumerate(daily.get("time", ())[:_DAYS]):
        parts = []
        if "weather_code" in daily:
            parts.append(_sky(daily["weather_code"][number]))
        if "temperature_2m_max" in daily and "temperature_2m_min" in daily:
            low, high = (daily[f"temperature_2m_{end}"][number] for end in ("min", "max"))
            parts.append(f"{low:g} to {high:g} °C")
        if "precipitation_probability_max" in daily:
            chance = daily["precipitation_probability_max"][number]
            parts.append(f"{chance:g} % chance of rain")
        told.append(f"{date.fromisoformat(day[:10]):%A}: {', '.join(parts)}.")
    return told


def _sky(code: Any) -> str:
    return _SKIES.get(int(code), "sky unknown")
