"""The pages: the built files of console/web where there are some, else one plain page of words."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from chassis.errors import NotFound
from console.server.session import NO_LOGIN

PLAIN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Crossdock</title>
<h1>Crossdock</h1>
<p>This server has no pages: it gives tokens and the live stream of exceptions. The command does all that pages would do:</p>
<pre>crossdock login --as logistics
crossdock watch          # cases and tasks as they change
crossdock cases          # what is open, most money at risk first
crossdock case ID        # one of them, with its tasks and its clock
crossdock --help         # everything else</pre>
<p>Programs follow <code>/stream</code> with a bearer token.</p>
</html>
"""
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}  # their names change with their content
ASKED_AGAIN = {"Cache-Control": "no-cache"}
BUILT = Path(__file__).parents[1] / "web" / "dist"


def add(app: FastAPI, folder: Path) -> None:
    """Add the pages; call it last, since every address that is nothing else may be a screen."""
    root = folder.resolve()

    @app.get("/", openapi_extra=NO_LOGIN, response_class=HTMLResponse)
    def front_page() -> Response:
        """Show the first page; a browser that comes by needs no login to read it."""
        if (root / "index.html").is_file():
            return FileResponse(root / "index.html", headers=ASKED_AGAIN)
        return HTMLResponse(PLAIN, headers={"Cache-Control": "no-store"})

    @app.get("/assets/{file:path}", openapi_extra=NO_LOGIN, response_class=FileResponse)
    def built_file(file: str) -> Response:
        """Give a built file."""
        found = file_in(root / "assets", file)
        if found is None:
            raise NotFound("no such file")
        return FileResponse(found, headers=FOREVER)

    @app.get("/{screen:path}", openapi_extra=NO_LOGIN, response_class=HTMLResponse)
    def screen(screen: str, request: Request) -> Response:
        """Show the page at the address of one of its screens: each is a link that can be opened anew."""
        beside = file_in(root, screen)
        if beside is not None and beside.parent == root:
            return FileResponse(beside, headers=ASKED_AGAIN)
        if "text/html" in request.headers.get("accept", "") and (root / "index.html").is_file():
            return FileResponse(root / "index.html", headers=ASKED_AGAIN)
        raise NotFound("there is nothing at this address")


def file_in(folder: Path, name: str) -> Path | None:
    """Return a file of this folder, or None where a name leads nowhere, out of it, or is none that a file may have."""
    try:
        found = (folder / name).resolve()
        return found if found.is_relative_to(folder) and found.is_file() else None
    except (OSError, ValueError):
        return None
