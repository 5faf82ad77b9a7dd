"""Imports pathlib without what it needs for the URIs of paths alone.

Up to CPython 3.12 that is ``urllib.parse``, and with it ``ipaddress``: a tenth of all that starting
to record takes. Later versions import it where a URI is asked for; here the earlier ones do.
"""

from __future__ import annotations

import sys
from _thread import _count as count_threads

__all__ = ["import_pathlib"]

_URLS = "urllib.parse"


def import_pathlib() -> None:
    """Import pathlib, before anything else does. No other thread may see how."""
    if not {"pathlib", _URLS}.isdisjoint(sys.modules) or count_threads():
        return
    stand_in = type(sys)(_URLS)
    vars(stand_in)["quote_from_bytes"] = _quote_from_bytes
    sys.modules[_URLS] = stand_in
    try:
        import pathlib  # noqa: F401
    finally:
        del sys.modules[_URLS]


def _quote_from_bytes(path: bytes) -> str:
    from urllib.parse import quote_from_bytes

    return quote_from_bytes(path)
