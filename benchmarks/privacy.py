"""Whether anything of what callers say, write, are called or send as a key leaks.

    python -m benchmarks.privacy [--rounds 9]

A server as it is installed, with the embedded engines, a key, production's log lines and a
collector of traces, is given calls and requests that are full of marked words (24 a round). Then
these are looked for in its log and those of its engines, in its metrics, in the traces and in the
bodies of its errors.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from benchmarks.canaries import MARK, Canaries, hits
from benchmarks.mouth import phrase
from benchmarks.server import free_port, until_ready
from inzwa_rtc.settings import Settings
from inzwa_rtc.settings.access import AccessSettings
from inzwa_rtc.store import opened, place_of

START_S = 90.0
_ROOT = str(Path(__file__).resolve().parents[1])
QUESTION = "how are you"
ADMIN_KEY = "canary-of-the-operator"


async def main() -> int:
    """Fly them, and print what was found; 1 where there is anything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="24 calls and requests each")
    rounds = parser.parse_args().rounds
    traces = bytearray()
    with tempfile.TemporaryDirectory() as folder:
        runner = await _collector(traces)
        try:
            port = runner.addresses[0][1]
            sent, errors, metrics, log = await _flown(Path(folder), port, rounds)
        finally:
            await runner.cleanup()
    found = {
        "log": hits(log),
        "metrics": hits(metrics),
        "traces": [MARK] * traces.lower().count(MARK.encode()),
        "errors": hits("\n".join(errors)),
    }
    sys.stdout.write(f"{sent} calls and requests, {len(errors)} refused; ")
    sys.stdout.write(f"{len(log.splitlines())} log lines, {len(traces)} bytes of traces\n")
    for place, lines in found.items():
        sys.stdout.write(f"{place}: {len(lines)} hits\n")
        sys.stdout.writelines(f"  {line}\n" for line in lines[:10])
    return int(any(found.values()))


async def _flown(folder: Path, collector: int, rounds: int) -> tuple[int, list[str], str, str]:
    log_file, config, port = folder / "log", folder / "inzwa.yaml", free_port()
    config.write_text(yaml.safe_dump(_settings(folder, port, collector)), encoding="utf-8")
    async with opened(place_of(Settings(data_dir=folder))) as store:
        _, key = await store.keys.create("canaries", ["call"])
    with log_file.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from inzwa_rtc.cli.main import main; main()", "serve"),
            *("--config", str(config)),
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": _ROOT},
        )
    url, admin = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {ADMIN_KEY}"}
    try:
        await until_ready(url, process, START_S)
        canaries = Canaries(url, key, b"".join((await phrase(QUESTION)).frames))
        await canaries.fly(rounds)
        async with aiohttp.ClientSession(headers=admin) as http:
            async with http.get(f"{url}/metrics") as response:
                response.raise_for_status()
                metrics = await response.text()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    log_text = log_file.read_text(encoding="utf-8", errors="replace")
    return canaries.sent, canaries.errors, metrics, log_text


def _settings(folder: Path, port: int, collector: int) -> dict[str, Any]:
    return {
        "port": port,
        "environment": "production",
        "data_dir": str(folder),
        "admin_key": ADMIN_KEY,
        "hmac_key": "canary-of-names-0001",
        "access": dict.fromkeys(
            (name for name in AccessSettings.model_fields if name.endswith("_per_minute")), 0
        ),
        "telemetry": {"otlp_endpoint": f"http://127.0.0.1:{collector}"},
    }


async def _collector(traces: bytearray) -> web.AppRunner:
    """Keeps what it is sent, as it is."""

    async def take(request: web.Request) -> web.Response:
        traces.extend(await request.read())
        return web.Response()

    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
