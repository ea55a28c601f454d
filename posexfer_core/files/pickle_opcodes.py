"""Check of a pickle's opcodes before it is loaded, for what no unpickler guards against.

Lengths that allocate memory for absent data; nesting deeper than data has; and nested tuples that
share parts, of which a few hundred bytes take years to hash.
"""

import io
import pickletools

MOST_HASHED = 1_000_000
"""Entries, counted as often as they are met, of one tuple."""
DEEPEST = 1000
"""Collections that are begun at the same time."""

_MARK = -1
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_GETS = {"GET", "BINGET", "LONG_BINGET"}
_PUTS = {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}


def _effect(opcode: pickletools.OpcodeInfo) -> tuple[bool, int, list[int]]:
    """Give the stack effect: whether it pops to the mark, how many more it pops, what it pushes."""
    before = opcode.stack_before
    marked = pickletools.markobject in before
    more = before.index(pickletools.markobject) if marked else len(before)
    return marked, more, [1] * len(opcode.stack_after)


_EFFECTS = {opcode.name: _effect(opcode) for opcode in pickletools.opcodes}


def check_opcodes(file: bytes | io.BytesIO, most: int) -> None:
    """Refuse a pickle that would fill the memory or never end; leave the file after it.

    What lies on the unpickler's stack is followed by its size: of tuples with all they hold, of
    anything else 1.

    Args:
        file: starts with the pickle.
        most: bytes there are.

    Raises:
        ValueError: it is of that kind, or no pickle.
    """
    stack: list[int] = []
    memo: dict[int, int] = {}
    begun = 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        name = opcode.name
        if name == "MARK":
            begun += 1
            if begun > DEEPEST:
                raise ValueError(f"more than {DEEPEST} collections in each other")
            stack.append(_MARK)
        elif name in _GETS:
            stack.append(memo.get(_number(argument), 1))
        elif name in _PUTS:
            slot = len(memo) if argument is None else _number(argument)
            if slot > count:
                raise ValueError(f"memo slot {slot} after {count} steps")
            memo[slot] = stack[-1]
        elif name in _TUPLES:
            parts = stack[-_TUPLES[name] :]
            del stack[-_TUPLES[name] :]
            stack.append(_tuple_of(parts))
        elif name == "FRAME" and _number(argument) > most:
            raise ValueError(f"a frame of {argument} bytes in a file of {most}")
        else:
            marked, more, after = _EFFECTS[name]
            if marked:
                begun -= 1
                parts = _to_mark(stack)
                after = [_tuple_of(parts)] if name == "TUPLE" else after
            if more:
                del stack[-more:]
            stack += after


def _number(argument: object) -> int:
    return argument if isinstance(argument, int) else 0


def _to_mark(stack: list[int]) -> list[int]:
    """Take off all above the last mark, and the mark."""
    taken = []
    while stack and (size := stack.pop()) != _MARK:
        taken.append(size)
    return taken


def _tuple_of(parts: list[int]) -> int:
    size = 1 + sum(parts)
    if size > MOST_HASHED:
        raise ValueError("a tuple of more entries than are read")
    return size
