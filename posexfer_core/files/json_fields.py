"""JSON text from untrusted sources: bounded, and every field checked before it is used."""

import json
import math
from collections.abc import Collection
from typing import Any

from ..errors import ParamsError

LARGEST = 1e4
"""Of any number of a pose or a camera; metres, radians, degrees."""


def read_json(text: str, most: int, advice: str) -> Any:
    """Read JSON of at most so many characters.

    Args:
        text: the JSON.
        most: characters.
        advice: the last line of errors: what to do.

    Raises:
        ParamsError: the text is longer, no JSON, or nested without end.
    """
    if len(text) > most:
        raise refusal(f"Found {len(text)} characters.", f"Expected at most {most}.", advice)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise refusal(f"Found no JSON: {text[:40]!r}.", "Expected JSON text.", advice) from error


def refusal(found: str, expected: str, advice: str) -> ParamsError:
    """Make an error of three lines."""
    return ParamsError("\n".join((found, expected, advice)))


def check_keys(
    found: Any, where: str, required: Collection[str], optional: Collection[str], advice: str
) -> None:
    """Refuse what is no object of these fields.

    Raises:
        ParamsError: it is none, a field is missing, or there is another.
    """
    expected = f"Expected an object of {', '.join(required)}"
    expected += f"; optional {', '.join(optional)}." if optional else "."
    if not isinstance(found, dict):
        raise refusal(f"Found {shortened(found)} for {where}.", expected, advice)
    if other := [key for key in found if key not in (*required, *optional)]:
        raise refusal(f"Found {', '.join(other)[:80]} in {where}.", expected, advice)
    if missing := [key for key in required if key not in found]:
        raise refusal(f"Found no {', '.join(missing)} in {where}.", expected, advice)


def numbers(found: Any, shape: tuple[int, ...], where: str, advice: str) -> Any:
    """Give finite numbers of a shape as floats, in nested lists; of the shape `()` one float.

    Raises:
        ParamsError: it is something else, or a number is beyond `LARGEST`.
    """
    if _fits(found, shape):
        return _floats(found)
    what = f"{' x '.join(map(str, shape))} numbers" if shape else "a number"
    raise refusal(
        f"Found {shortened(found)} for {where}.",
        f"Expected {what} of at most {LARGEST:.0f}, without NaN.",
        advice,
    )


def shortened(found: Any) -> str:
    """Show the start of a value."""
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _floats(found: Any) -> Any:
    return [_floats(one) for one in found] if isinstance(found, list) else float(found)


def _fits(found: Any, shape: tuple[int, ...]) -> bool:
    if shape:
        inner = shape[1:]
        return (
            isinstance(found, list)
            and len(found) == shape[0]
            and all(_fits(one, inner) for one in found)
        )
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return abs(found) <= LARGEST and not math.isnan(found)
