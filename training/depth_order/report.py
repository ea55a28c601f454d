"""One table of all methods, as Markdown and as JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from .judges import least_contrast
from .measures import REGIONS, Trial, TwinScore
from .overlaps import SUBSETS, subset_of
from .statistics import mcnemar, wilson_interval

JUDGED = SUBSETS[:-1]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A method and its scores, in the order of the twins."""

    name: str
    scores: list[TwinScore]

    def trials(self, subset: str | None = None) -> list[Trial]:
        """List the trials of one subset, or of all four."""
        wanted = JUDGED if subset is None else (subset,)
        found = (trial for score in self.scores for trial in score.trials)
        return [trial for trial in found if subset_of(trial.pair) in wanted]


def source_threshold(truth: Scored) -> float | None:
    """Find from which contrast on the judge by the source may judge."""
    return least_contrast([(trial.contrast, trial.right_by_source) for trial in truth.trials()])


def told_by_source(truth: Scored) -> list[bool]:
    """Find the trials that the source's colours decide: both true images are told by them."""
    trials = truth.trials()  # of both images of a twin, one after the other
    both = zip(trials[::2], trials[1::2], strict=True)
    return [told for a, b in both for told in 2 * [a.right_by_source and b.right_by_source]]


def summary(
    method: Scored, reference: Scored, threshold: float | None, told: list[bool]
) -> dict[str, Any]:
    """Sum up one method.

    Args:
        method: of the same twins as the others.
        reference: that it is compared with by McNemar's test.
        threshold: from `source_threshold`.
        told: from `told_by_source`.
    """
    trials = method.trials()
    entry: dict[str, Any] = {"order": {"all": _share(trial.right for trial in trials)}}
    for subset in JUDGED:
        entry["order"][subset] = _share(trial.right for trial in method.trials(subset))
    seen = zip(trials, told, strict=True)
    entry["order_told"] = _share(trial.right for trial, is_told in seen if is_told)
    parts = [trial.right_part for trial in trials if trial.right_part is not None]
    entry["order_of_parts"] = _share(parts) if parts else None
    if threshold is not None:
        judged = [trial for trial in trials if trial.contrast > threshold]
        entry["order_by_source"] = _share(trial.right_by_source for trial in judged)
        entry["order_by_source"]["abstained"] = len(trials) - len(judged)
    entry["flip_cosine"] = _mean(score.flip_cosine for score in method.scores)
    entry["response"] = _mean(score.response for score in method.scores)
    changes = [trial.winner_changes for trial in trials if trial.winner_changes is not None]
    entry["counterfactual"] = _share(changes) if changes else None
    for region in REGIONS:
        measured = [score.closeness[region] for score in method.scores if region in score.closeness]
        names = measured[0] if measured else {}
        entry[region] = {name: fmean(found[name] for found in measured) for name in names}
    rights = [[trial.right for trial in scored.trials()] for scored in (method, reference)]
    entry["mcnemar_p"] = mcnemar(rights[0], rights[1])
    return entry


def markdown(entries: dict[str, dict[str, Any]], reference: str) -> str:
    """Write the table."""
    perceptual = any("perceptual" in entry["whole"] for entry in entries.values())
    heads = [
        "",
        "order, all",
        *JUDGED,
        "colours told",
        "parts",
        "by source",
        "flip cosine",
        "response",
        "z mirrored",
    ]
    heads += [f"PSNR {region}" for region in REGIONS] + ["SSIM person"]
    heads += ["perceptual, person"] if perceptual else []
    heads += [f"p against {reference}"]
    lines = [_line(heads), _line(["---", *[":-:"] * (len(heads) - 1)])]
    for name, entry in entries.items():
        cells = [name, _interval(entry["order"]["all"])]
        cells += [_percent(entry["order"][subset]) for subset in JUDGED]
        cells += [_interval(entry["order_told"]), _percent(entry["order_of_parts"])]
        cells.append(_percent(entry.get("order_by_source")))
        cells += [_number(entry[key], 2) for key in ("flip_cosine", "response")]
        cells.append(_percent(entry["counterfactual"]))
        cells += [_number(entry[region].get("psnr"), 2) for region in REGIONS]
        cells.append(_number(entry["person"].get("ssim"), 3))
        if perceptual:
            cells.append(_number(entry["person"].get("perceptual"), 3))
        cells.append("" if name == reference else f"{entry['mcnemar_p']:.2g}")
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def as_json(methods: list[Scored], entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Join the table and every single score."""
    return {
        "methods": entries,
        "twins": {method.name: [asdict(score) for score in method.scores] for method in methods},
    }


def _share(judged: Iterable[bool]) -> dict[str, Any]:
    found = list(judged)
    right = sum(found)
    low, high = wilson_interval(right, len(found))
    share = right / len(found) if found else None
    return {"share": share, "right": right, "count": len(found), "low": low, "high": high}


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _percent(share: dict[str, Any] | None) -> str:
    if share is None or share["share"] is None:
        return "–"
    return f"{100 * share['share']:.1f} % of {share['count']}"


def _interval(share: dict[str, Any]) -> str:
    if share["share"] is None:
        return "–"
    return f"{100 * share['share']:.1f} % [{100 * share['low']:.1f}, {100 * share['high']:.1f}]"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
