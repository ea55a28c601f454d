"""A real ComfyUI server on loopback, with our pack linked into its folder of custom nodes."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from tests.nodes.host_process import CHECKOUT, ROOT
from tests.nodes.zero_text import write_zero_text

LAUNCHER = Path(__file__).with_name("cpu_torch.py")
PATIENCE_S = 240.0
ATTEMPTS = 5
ENDS = ("execution_success", "execution_error", "execution_interrupted")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a page that follows the websocket has seen of one prompt."""

    end: str
    """One of `ENDS`, or "refused" where validation failed."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """By node: what it shows."""
    error: dict[str, Any] = field(default_factory=dict)
    """Of an execution error: the node, and what it said."""
    node_errors: dict[str, Any] = field(default_factory=dict)
    """Of a refused prompt: by node, what is wrong with its inputs."""
    cached: tuple[str, ...] = ()
    """Nodes that were not run again."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server and its folders."""

    address: str
    base: Path
    process: subprocess.Popen[bytes]

    def log(self) -> str:
        """Read everything that the server has said."""
        return (self.base / "server.log").read_text(errors="replace")

    def mappings(self) -> dict[str, Any]:
        """Describe the inputs of every node that the server offers, as its classes would."""
        with urllib.request.urlopen(f"{self.address}/object_info") as reply:
            described = json.load(reply)
        return {
            name: SimpleNamespace(INPUT_TYPES=lambda node=node: node["input"])
            for name, node in described.items()
        }

    def prompt(self, prompt: dict[str, Any], *, interrupt: bool = False) -> Outcome:
        """Post a prompt and follow it to its end; press Cancel at its first progress, if asked."""
        return asyncio.run(_follow(self.address, prompt, interrupt))

    def defaults(self, kind: str) -> dict[str, Any]:
        """Ask what the widgets of a node hold before anyone touches them."""
        with urllib.request.urlopen(f"{self.address}/object_info/{kind}") as reply:
            required = json.load(reply)[kind]["input"]["required"]
        settings = {name: entry[1] for name, entry in required.items() if len(entry) > 1}
        return {name: one["default"] for name, one in settings.items() if "default" in one}

    def forget(self) -> None:
        """Drop what the server keeps of earlier prompts, so that the next runs every node."""
        body = b'{"free_memory": true}'
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/free", body, headers)
        urllib.request.urlopen(request).close()
        time.sleep(0.5)  # the worker's thread wakes up and drops it

    def prompt_afresh(self, prompt: dict[str, Any]) -> Outcome:
        """Run every node of a prompt, none from what the server keeps.

        A busy server may take up the prompt before it drops anything: then it is asked again.
        """
        self.forget()
        outcome = self.prompt(prompt)
        for _ in range(ATTEMPTS):
            if not outcome.cached:
                break
            self.forget()
            outcome = self.prompt(prompt)
        return outcome

    def written(self, outcome: Outcome) -> list[bytes]:
        """Read the files that a prompt has saved, in the order of its nodes."""
        shown = [outcome.outputs[node] for node in sorted(outcome.outputs)]
        entries = [entry for one in shown for entry in one.get("images", [])]
        return [
            (self.base / "output" / one["subfolder"] / one["filename"]).read_bytes()
            for one in entries
            if one["type"] == "output"
        ]


@contextmanager
def serve(base: Path) -> Iterator[Server]:
    """Start a server whose files are all in `base`, and stop it in the end.

    Raises:
        RuntimeError: it does not come up; says what it wrote.
    """
    write_zero_text(base)
    (base / "custom_nodes" / "posexfer").symlink_to(ROOT)
    for name in ("input", "output", "models/model_patches", "models/smpl"):
        (base / name).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(LAUNCHER), str(CHECKOUT / "main.py"), "--cpu", "--port"]
    command += [str(port), "--base-directory", str(base), "--database-url", "sqlite:///:memory:"]
    command += ["--disable-api-nodes", "--preview-method", "latent2rgb"]
    with (base / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=base, stdout=log, stderr=log, env=dict(os.environ))
        server = Server(address=f"http://127.0.0.1:{port}", base=base, process=process)
        try:
            wait_until_up(server)
            yield server
        finally:
            process.terminate()
            process.wait(20)


def wait_until_up(server: Server) -> None:
    """Ask until the server answers.

    Raises:
        RuntimeError: it ended, or said nothing for `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{server.address}/system_stats", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"ComfyUI did not come up:\n{server.log()[-4000:]}")


async def _follow(address: str, prompt: dict[str, Any], interrupt: bool) -> Outcome:
    import aiohttp  # the host's own

    client, outputs, cached = uuid4().hex, {}, ()
    async with aiohttp.ClientSession() as session:
        socket_address = f"{address}/ws?clientId={client}"
        async with session.ws_connect(socket_address, max_msg_size=0) as messages:
            sent = {"prompt": prompt, "client_id": client}
            async with session.post(f"{address}/prompt", json=sent) as reply:
                said = await reply.json()
                if reply.status != 200:
                    return Outcome(end="refused", node_errors=said["node_errors"])
            while True:
                message = await asyncio.wait_for(messages.receive(), PATIENCE_S)
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue  # previews
                event = message.json()
                kind, data = event["type"], event["data"]
                if data.get("prompt_id") != said["prompt_id"]:
                    continue
                if interrupt and kind == "progress":
                    await session.post(f"{address}/interrupt", json={})
                    interrupt = False
                if kind == "execution_cached":
                    cached = tuple(data["nodes"])
                elif kind == "executed":
                    outputs[data["node"]] = data["output"]
                elif kind in ENDS:
                    error = data if kind == "execution_error" else {}
                    return Outcome(end=kind, outputs=outputs, error=error, cached=cached)
