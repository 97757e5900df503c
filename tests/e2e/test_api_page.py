"""The page of the API, in a real Chromium: the server's own document, from this server alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, Route, expect

from tests.support.looks import look
from tests.support.server import Serving, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

PAGE = "/docs"
SAMPLE = Path(__file__).parents[1] / "web/openapi.sample.json"


@dataclass
class Reader:
    """Somebody who reads the page; what went wrong on it, and all that it asked for."""

    page: Page
    problems: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def reading(
    browser: Browser, server: Serving, document: str | None = None, address: str = PAGE
) -> AsyncIterator[Reader]:
    """The page, with another document than the server's if one is given. Nothing may fail on it,
    and it may ask this server alone."""
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    try:
        reader = Reader(await context.new_page())
        page = reader.page
        page.on("pageerror", lambda error: reader.problems.append(str(error)))
        page.on(
            "console",
            lambda message: (
                reader.problems.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.on("requestfailed", lambda request: reader.problems.append(request.url))
        page.on("request", lambda request: reader.asked.append(request.url))
        if document is not None:

            async def answer(route: Route) -> None:
                await route.fulfill(body=document, content_type="application/json")

            await page.route("**/openapi.json", answer)
        await page.goto(server.url + address)
        await expect(page.locator("#operations:not([aria-busy])")).to_be_visible()
        yield reader
        assert reader.problems == []
        elsewhere = [url for url in reader.asked if not url.startswith(f"{server.url}/")]
        assert elsewhere == []
    finally:
        await context.close()


async def test_it_shows_every_operation_of_this_server(browser: Browser) -> None:
    async with serving() as server, ClientSession() as client:
        answer = await client.get(f"{server.url}/openapi.json")
        document: dict[str, Any] = await answer.json()
        async with reading(browser, server) as reader:
            for path, methods in document["paths"].items():
                for method, told in methods.items():
                    section = reader.page.locator(f"section.operation[id='{told['operationId']}']")
                    await expect(section.locator("h3")).to_have_text(f"{method.upper()} {path}")
                    await expect(section).to_contain_text(told["summary"])
                    await expect(section.locator(".line code")).to_contain_text(
                        f"{server.url}{path.split('{')[0]}"
                    )
            await expect(reader.page.locator("#title")).to_contain_text(document["info"]["version"])
            await look(reader.page, "api")


async def test_it_tells_what_an_operation_takes_and_answers(browser: Browser) -> None:
    async with serving() as server, reading(browser, server, SAMPLE.read_text()) as reader:
        speak = reader.page.locator("#speak")
        members = speak.locator("> .members").first.locator("> li")
        await expect(members).to_have_count(4)
        await expect(members.nth(0)).to_have_text("text string required")
        await expect(members.nth(1)).to_contain_text("speed number or null")
        await expect(members.nth(1)).to_contain_text("Default 1")
        await expect(members.nth(2)).to_contain_text('"opus" | "mp3"')
        await expect(members.nth(3)).to_contain_text("lexicon array of Word")
        await members.nth(3).locator("summary").click()
        await expect(members.nth(3).locator(".members")).to_contain_text("word string required")
        await expect(speak.locator("code", has_text="format").first).to_be_visible()
        await expect(speak).to_contain_text("each event: Piece")
        await speak.locator("summary", has_text="Errors: 400").click()
        await expect(speak).to_contain_text("action string required")

        note = reader.page.locator("#get_note")
        await expect(note.locator("tr").nth(1)).to_contain_text("id required")
        await expect(note.locator("tr").nth(2)).to_contain_text("A language, such as sn.")
        await expect(note).to_contain_text("What it says. At most 500 characters.")
        await expect(note).to_contain_text("Anybody may ask.")
        errors = note.locator("summary", has_text="Errors: 404, 503")
        await expect(errors).to_be_visible()


async def test_text_of_the_document_is_text_and_no_markup(browser: Browser) -> None:
    async with serving() as server, reading(browser, server, SAMPLE.read_text()) as reader:
        await expect(reader.page.locator("#offer .summary")).to_have_text("Offer <b>SDP</b>")


async def test_operations_are_found_by_words_and_by_address(browser: Browser) -> None:
    document = SAMPLE.read_text()
    async with (
        serving() as server,
        reading(browser, server, document, f"{PAGE}#offer") as reader,
    ):
        await expect(reader.page.locator("#offer")).to_be_in_viewport()
        await reader.page.fill("#find", "made cut")
        await expect(reader.page.locator("#found")).to_have_text("1 of 5")
        await expect(reader.page.locator("#speak")).to_be_visible()
        await expect(reader.page.locator("#offer")).to_be_hidden()
        await expect(reader.page.locator("#contents a:visible")).to_have_text(["POST /v1/speak"])


async def test_the_line_for_the_shell_is_copied(browser: Browser) -> None:
    async with serving() as server, reading(browser, server, SAMPLE.read_text()) as reader:
        line = reader.page.locator("#speak .line")
        await line.locator("button").click()
        await expect(line.locator("button")).to_have_text("Copied")
        copied = await reader.page.evaluate("() => navigator.clipboard.readText()")
        assert copied == await line.locator("code").inner_text()


async def test_a_document_that_cannot_be_read_is_said_to_be_so(browser: Browser) -> None:
    async with serving() as server, reading(browser, server, "{ no JSON") as reader:
        await expect(reader.page.locator("#state")).to_contain_text("cannot be shown")
