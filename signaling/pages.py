"""The bundled pages: a fixed list of files, each at the address of its name.

A path that is none of them never reaches the file system, whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

_PAGES = {"/": "index.html", "/dashboard": "dashboard.html", "/docs": "docs.html"}


def add_pages(app: web.Application) -> None:
    """Add a route for each file that is there now."""
    folder = page_folder()
    for path, name in _PAGES.items():
        app.router.add_get(path, _shown(folder / name))
    for file in _files(folder):
        app.router.add_get(f"/{file.relative_to(folder).as_posix()}", _shown(file))


def page_folder() -> Path:
    """Where the page lies: inside the package when installed, beside it in a checkout."""
    installed = Path(__file__).parent / "web"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "web"


def _files(folder: Path) -> Iterator[Path]:
    for one in sorted(folder.iterdir()):
        if one.is_dir() and one.name != "node_modules":  # tools of a checkout
            yield from _files(one)
        elif one.is_file():
            yield one


def _shown(file: Path) -> Handler:
    async def show(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(file)

    return show
