"""Values that may stand in a line, and the one way lines are encoded."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

__all__ = ["encode", "plain"]

_dumps: Callable[..., str] | None = None
_MAX_DEPTH = 8
_MAX_INT_BITS = 1024
"""Python refuses to write longer integers in decimal unless the program has lifted its limit."""


def plain(value: object, depth: int = 0) -> Json:
    """``value`` as JSON can hold it, without running any code of the program being recorded.

    Numbers that JSON does not know become texts; objects of other types become their type's name.
    """
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value  # type: ignore[return-value]
    if isinstance(value, str):
        return str.__str__(value)
    if kind is int:
        return _integer(value)  # type: ignore[arg-type]
    if kind is float:
        return value if value - value == 0 else repr(value)  # type: ignore[operator,return-value]
    if depth < _MAX_DEPTH and kind in (list, tuple):
        return [plain(item, depth + 1) for item in value]  # type: ignore[attr-defined]
    if depth < _MAX_DEPTH and kind is dict:
        items = list(value.items())  # type: ignore[attr-defined]
        return {_key(key): plain(item, depth + 1) for key, item in items}
    return f"<{kind.__name__}>"


def _integer(value: int) -> int | str:
    return value if value.bit_length() <= _MAX_INT_BITS else hex(value)


def _key(key: object) -> str:
    text = plain(key, _MAX_DEPTH)
    return text if isinstance(text, str) else repr(text)


def encode(event: dict[str, Json], **_options: Callable[[object], object]) -> str:
    """One line of JSON without its line end; what structlog's renderer passes on is not needed."""
    global _dumps
    if _dumps is None:
        from json import dumps  # 6 ms that a program without a line never pays

        _dumps = dumps  # kept for the end of the process, when nothing can be imported any more
    return _dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
