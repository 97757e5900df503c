"""How the page looks: pictures for the eye, and a measure of what sticks out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from playwright.async_api import Page

OUTPUT = Path(__file__).parents[1] / "output"
SIZES = ((360, 740), (1280, 800))
COLOURS: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")

# Boxes that reach beyond the window, and boxes whose content is wider than they are: a dialog
# and a box that clips hide both from the document's own measure.
_STICKING_OUT = """
() => {
  const root = document.querySelector('dialog[open]') ?? document.body;
  const isSeen = (element) => element.checkVisibility() && !element.closest('.unseen, svg');
  const name = ({ id, className, localName }) => id || `${localName}.${className}`;
  return [root, ...root.querySelectorAll('*')].filter(isSeen).flatMap((element) => {
    const { left, right } = element.getBoundingClientRect();
    const found = [];
    if (left < -1 || right > innerWidth + 1) found.push(`${name(element)}: ${left}-${right}`);
    if (element.clientWidth && element.scrollWidth > element.clientWidth + 1) {
      found.push(`${name(element)} holds ${element.scrollWidth} in ${element.clientWidth}`);
    }
    return found;
  });
}
"""


async def look(page: Page, name: str) -> None:
    """A picture at each size and in both colours, in tests/output; nothing may stick out."""
    OUTPUT.mkdir(exist_ok=True)
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in COLOURS:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            await page.screenshot(path=OUTPUT / f"{width}-{scheme}-{name}.png")
        found = await page.evaluate(_STICKING_OUT)
        assert not found, f"{name} at {width} px: {found}"
