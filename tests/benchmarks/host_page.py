"""Speed and memory of the pose editor in ComfyUI's page, drawn without a graphics card.

With a checkout at $COMFYUI_PATH or ~/ComfyUI, Chromium and `npm install`:
`.venv-host-VERSION/bin/python -m tests.benchmarks.host_page`; minutes.
"""

import sys
import tempfile
from pathlib import Path

from tests.nodes.server import serve
from tests.nodes.test_pose_editor_page import RENDERERS, drive, host_version, why_not


def main() -> int:
    """Drag a hand 500 times in every renderer that the page has; print what it took."""
    if reason := why_not():
        sys.stdout.write(f"NOT RUN: {reason}\n")
        return 1
    renderers = RENDERERS if host_version() >= (0, 33) else RENDERERS[:1]
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder) / "served") as server:
        for renderer in renderers:
            facts = drive(server, renderer, "speed")
            heap = ", ".join(f"{size / 2**20:.1f}" for size in facts["heap"])
            sys.stdout.write(
                f"{renderer}, {facts['size'][0]}x{facts['size'][1]}: "
                f"{1000 / facts['frameMs']:.0f} frames a second while a hand is dragged; a frame "
                f"takes {facts['pageMs']:.0f} ms of the page's and {facts['cardMs']:.0f} ms of the "
                "imitated card's processor time, whatever else the machine does; "
                f"heap before, after 250 and after 500 drags, MiB: {heap}\n"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
