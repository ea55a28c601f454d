"""What the page's pose editor asks of the server."""

import asyncio
import functools
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from ...posexfer_core.errors import PoseXferError
from ...posexfer_core.files.json_fields import refusal

MOST_BYTES = 1_000_000
"""Of a request."""
FOLDER = "posexfer/poses"
"""Of a user's own poses, inside the host's folder for this user."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


def add_routes() -> None:
    """Add the routes to the host's server; where none runs, as in tests, there is nobody to ask."""
    server = _server()
    if server is None or any(getattr(one, "path", "") == "/posexfer/body" for one in server.routes):
        return
    for method, path, handler in ROUTES:
        server.routes.route(method, path)(_answering(handler))


def _server() -> Any:
    """Find the host's server; None where only its modules are used."""
    return getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)


def _answering(handler: Handler) -> Handler:
    """Answer what a user can mend as JSON with a `problem` of three lines."""

    @functools.wraps(handler)
    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except PoseXferError as error:
            return _problem(str(error), 400)

    return answer


def _problem(text: str, status: int) -> web.Response:
    return web.json_response({"problem": text}, status=status)


async def _apart(function: Callable[..., Any], *given: object) -> Any:
    """Compute in a thread, so that the server goes on answering."""
    return await asyncio.to_thread(function, *given)


async def _body(request: web.Request) -> web.Response:
    from .editor_bodies import find_editor_body

    packed = await _apart(find_editor_body, request.query_string)
    return web.Response(body=packed, content_type="application/octet-stream")


async def _twins(request: web.Request) -> web.Response:
    from .posing import find_twins

    return web.json_response(await _apart(find_twins, await _text(request)))


async def _list(request: web.Request) -> web.Response:
    from .pose_library import list_poses

    return web.json_response({"poses": await _apart(list_poses, _own(request))})


async def _load(request: web.Request) -> web.Response:
    from .pose_library import load_pose

    return web.json_response(await _apart(load_pose, _name(request), _own(request)))


async def _save(request: web.Request) -> web.Response:
    from .pose_library import save_pose

    name = await _apart(save_pose, await _text(request), _own(request))
    return web.json_response({"name": name})


async def _delete(request: web.Request) -> web.Response:
    from .pose_library import delete_pose

    await _apart(delete_pose, _name(request), _own(request))
    return web.json_response({})


def _name(request: web.Request) -> str:
    return request.query.get("name", "")


def _own(request: web.Request) -> Path:
    """Find the folder of the poses of whoever asks.

    Raises:
        ParamsError: the host knows no such user.
    """
    try:
        path = _server().user_manager.get_request_user_filepath(request, FOLDER, create_dir=False)
    except KeyError:
        path = None
    if path is None:
        raise refusal(
            "Found no user of this name.", "Expected one whom this server knows.", "Log in again."
        )
    return Path(path)


async def _text(request: web.Request) -> str:
    """Read the JSON text of a request, of at most `MOST_BYTES`.

    Raises:
        ParamsError: it is no JSON text, or longer.
    """
    if request.content_type != "application/json":
        raise refusal(
            f"Found {request.content_type}.", "Expected application/json.", "Set the content type."
        )
    data = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > MOST_BYTES:
            raise refusal(
                f"Found more than {MOST_BYTES} bytes.", "Expected fewer.", "Send fewer frames."
            )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise refusal(
            "Found bytes that are no text.", "Expected UTF-8.", "Send JSON as text."
        ) from error


ROUTES = (
    ("GET", "/posexfer/body", _body),
    ("POST", "/posexfer/twins", _twins),
    ("GET", "/posexfer/poses", _list),
    ("POST", "/posexfer/poses", _save),
    ("DELETE", "/posexfer/poses", _delete),
    ("GET", "/posexfer/pose", _load),
)
