"""Scores as Markdown: ours, ours by the field's legacy code, and the poster's table beside."""

from collections.abc import Mapping, Sequence

from .published import POSTER
from .scoring import LEGACY, METRICS

ARROWS = {"higher": " ↑", "lower": " ↓", "near 1": ""}
Scores = Mapping[str, Mapping[str, float]]
"""By method, then by metric."""


def report(
    scores: Scores,
    *,
    title: str,
    notes: Sequence[str],
    deepfashion: bool = False,
) -> str:
    """Write everything on one page.

    Args:
        scores: of all methods.
        title: first line.
        notes: sentences below the tables: what could not be computed, what does not compare.
        deepfashion: the pairs are DeepFashion's test pairs; `model` is set beside published
            methods.
    """
    parts = [f"# {title}", "## Standard", table(scores, METRICS), "## Legacy"]
    parts += ["As CFLD's code computes them; see docs/training_data.md.", table(scores, LEGACY)]
    if deepfashion and "model" in scores:
        parts += ["## Beside published numbers", beside_published(scores["model"])]
    parts += [f"- {' '.join(note.split())}" for note in notes]
    return "\n\n".join(parts) + "\n"


def table(scores: Scores, metrics: Mapping[str, tuple[str, str]]) -> str:
    """Lay out methods by metrics; columns without a number are left out."""
    shown = {
        name: title + ARROWS[better]
        for name, (title, better) in metrics.items()
        if any(name in row for row in scores.values())
    }
    lines = [f"| | {' | '.join(shown.values())} |", "|---" * (len(shown) + 1) + "|"]
    for method, row in scores.items():
        cells = [_number(name, row.get(name)) for name in shown]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def beside_published(ours: Mapping[str, float]) -> str:
    """Lay out the poster's table with our legacy scores as its last row."""
    lines = ["| | | FID ↓ | LPIPS ↓ | SSIM ↑ | PSNR ↑ |", "|---|---|---|---|---|---|"]
    for row in POSTER:
        psnr = _number("psnr", row.psnr)
        numbers = f"{row.fid:.3f} | {row.lpips:.4f} | {row.ssim:.4f} | {psnr}"
        lines.append(f"| {row.method} | {row.venue} | {numbers} |")
    cells = [
        _number(name, ours.get(name)) for name in ("legacy_fid", "lpips_alex", "legacy_ssim_256")
    ]
    lines.append(
        f"| **this model** | | {' | '.join(cells)} | {_number('psnr', ours.get('psnr'))} |"
    )
    return "\n".join(lines)


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    if name == "psnr":
        return f"{value:.2f}"
    return f"{value:.3f}" if "fid" in name else f"{value:.4f}"
