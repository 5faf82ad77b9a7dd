"""What a trace must hold, worked out from a journal's events one by one, all in memory."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import Any

from naive import journal as naive

Value = dict[str, Any]
STEPS_PER_CHUNK = 4096
EXCEPTION_FIELD = "args"
GROUPS = "BaseExceptionGroup", "ExceptionGroup"


@dataclass
class Expected:
    """Steps and calls in the shapes of ``naive.ct``, without what only the container knows."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    values: list[list[tuple[str, Value]]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Frame:
    function: str
    key: int | None = None
    stint: int = 0


@dataclass
class Thread:
    number: int
    function: str
    frames: list[Frame] = field(default_factory=list)
    stint: int = 1
    key: int | None = None
    key_stint: int = 0
    variables: dict[int, dict[str, Any]] = field(default_factory=dict)


def expect(events: list[naive.Event], main: str, exit_status: int | str | None) -> Expected:
    """Return what the trace of these events holds; ``main`` is the path of the main script."""
    return Model(main).run(events, exit_status)


class Model:
    def __init__(self, main: str) -> None:
        self.out = Expected()
        self.place = (main, 1)
        self.threads = {0: Thread(0, "")}
        self.current: Thread = self.threads[0]
        self.open_call("<toplevel>", -1, 0)

    def run(self, events: list[naive.Event], exit_status: int | str | None) -> Expected:
        for event in events:
            self.event(*event)
        if not self.out.steps:
            self.add_step("line", {})
        last = len(self.out.steps) - 1
        for call in self.out.calls:
            call["last"] = last if call["last"] is None else min(call["last"], last)
            call["first"] = min(call["first"], call["last"])
        if exit_status is not None:
            self.out.calls[0]["returned"] = ct_value(exit_status)
            self.out.calls[0]["edges"] = ("call", "return")
        return self.out

    def event(self, kind: str, *rest: Any) -> None:
        if kind == "call":
            self.push(rest[1], rest[2], "call")
        elif kind in ("enter", "resume", "throw"):
            self.push(rest[1], {}, "found" if kind == "enter" else kind)
        elif kind == "step":
            _, path, line, variables = rest
            self.place = (path, max(line, 1))
            self.piece()
            self.remember(variables)
            self.add_step("line", variables)
        elif kind in ("raise", "catch"):
            _, path, line, value, variables = rest
            place = (path, max(line, 1))
            # A record without a position stands where the step before it was.
            while place != self.place or self.chunk_is_empty():
                self.place = place
                self.piece()
                self.add_step("line", variables)
            self.piece()
            more = {"exception": ct_value(value)["type"]}
            if kind == "raise":
                more["message"] = message(value)
            self.remember(variables)
            self.add_step(kind, variables, **more)
        elif kind in ("return", "yield", "unwind", "lost"):
            self.pop(kind, rest[2] if kind != "lost" else None)
        else:
            self.thread_event(kind, rest[0], rest[2] if kind == "thread start" else None)

    def thread_event(self, kind: str, number: int, name: str | None) -> None:
        self.open_chunk()
        thread = self.threads.setdefault(number, Thread(number, f"<thread Thread-{number}>"))
        if name:
            thread.function = f"<thread {name}>"
        self.add_step(
            {"switch": "thread-switch"}.get(kind, kind.replace(" ", "-")), {}, thread=number
        )
        if kind == "switch":
            self.end_stint(self.current)
            self.current = thread
        elif kind == "thread exit":
            self.end_stint(thread)
            self.threads[number] = Thread(number, f"<thread Thread-{number}>")
            if thread is self.current:
                self.current = self.threads[number]

    # Steps

    def add_step(self, kind: str, variables: dict[str, Any], **more: Any) -> None:
        path, line = self.place
        self.out.steps.append({"kind": kind, "path": path, "line": line, **more})
        self.out.values.append([(name, ct_value(value)) for name, value in variables.items()])

    def remember(self, variables: dict[str, Any]) -> None:
        self.current.variables[len(self.current.frames)] = variables

    def chunk_is_empty(self) -> bool:
        return len(self.out.steps) % STEPS_PER_CHUNK == 0

    def open_chunk(self) -> None:
        """A record without a position may not be the first of a chunk."""
        if self.chunk_is_empty():
            variables: dict[str, Any] = {}
            if self.current.frames:
                self.piece()
                variables = self.current.variables.get(len(self.current.frames), {})
            self.add_step("line", variables)

    # Calls

    def open_call(
        self,
        function: str,
        parent: int,
        depth: int,
        args: dict[str, Any] | None = None,
        entry: str = "call",
    ) -> int:
        key = len(self.out.calls)
        self.out.calls.append(
            {
                "function": function,
                "parent": parent,
                "first": len(self.out.steps),
                "last": None,
                "depth": depth,
                "args": [(name, ct_value(value)) for name, value in (args or {}).items()],
                "returned": {"kind": "Void", "type": None},
                "exception": {"kind": None, "type": None},
                "children": [],
                "edges": (entry, "open"),
            }
        )
        if parent >= 0:
            self.out.calls[parent]["children"].append(key)
        return key

    def piece(self, args: dict[str, Any] | None = None, entry: str = "switch") -> None:
        """Make sure that the innermost frame has a call record in this stint."""
        thread = self.current
        frame = thread.frames[-1]
        if frame.key is not None and frame.stint == thread.stint:
            return
        if len(thread.frames) > 1:
            parent = thread.frames[-2].key
            assert parent is not None
        elif thread.number == 0:
            parent = 0
        else:
            if thread.key_stint != thread.stint:
                begins = "call" if thread.key is None else "switch"
                thread.key = self.open_call(thread.function, 0, 1, entry=begins)
                thread.key_stint = thread.stint
            assert thread.key is not None
            parent = thread.key
        depth = len(thread.frames) + (thread.number != 0)
        frame.key = self.open_call(frame.function, parent, depth, args, entry)
        frame.stint = thread.stint

    def push(self, function: str, args: dict[str, Any], entry: str) -> None:
        self.current.frames.append(Frame(function))
        self.remember({})
        self.piece(args, entry)

    def pop(self, kind: str, value: Any) -> None:
        frame = self.current.frames.pop()
        assert frame.key is not None
        call = self.out.calls[frame.key]
        self.leave(frame.key, kind)
        if kind == "unwind":
            call["exception"] = ct_value(value)
        elif kind != "lost":
            call["returned"] = ct_value(value)
        if frame.stint == self.current.stint:
            call["last"] = max(len(self.out.steps) - 1, 0)

    def leave(self, key: int, exit_: str) -> None:
        self.out.calls[key]["edges"] = (self.out.calls[key]["edges"][0], exit_)

    def end_stint(self, thread: Thread) -> None:
        last = len(self.out.steps) - 1
        for frame in thread.frames:
            if frame.key is not None and frame.stint == thread.stint:
                self.out.calls[frame.key]["last"] = last
                self.leave(frame.key, "switch")
        if thread.key is not None and thread.key_stint == thread.stint:
            self.out.calls[thread.key]["last"] = last
            self.leave(thread.key, "switch")
        thread.stint += 1


# Values, in the shapes of naive.ct


def ct_value(value: Any, kind: str | None = None) -> Value:
    """Return the value as the trace shows it; ``kind`` is the type of an instance of a subclass."""
    name = kind or type(value).__name__
    match value:
        case None:
            return {"kind": "None", "type": name}
        case bool():
            return {"kind": "Bool", "b": value, "text": str(value).lower(), "type": name}
        case int() if -(1 << 63) <= value < 1 << 63:
            return {"kind": "Int", "i": value, "type": name}
        case str():
            return text_value(value, "", name)
        case int() | float() | complex() | bytes():
            return raw(repr(value), name)
        case naive.Instance(subclass, inner):
            return ct_value(inner, kind or subclass)
        case naive.Object(cls, address):
            return raw(f"<{cls} at {address:#x}>", cls)
        case naive.ExceptionObject(cls, args):
            return container("", [(EXCEPTION_FIELD, args)], 1, kind or cls)
        case naive.Text(cls, total, shown):
            mark = f"… ({total} characters in all)" if total > len(shown) else ""
            return raw(escaped(shown) + mark, kind or cls)
        case naive.Fields(cls, part, total, shown):
            fields = [
                pair if pair is naive.DROPPED else (escaped(pair[0]), pair[1]) for pair in shown
            ]
            if part is not naive.UNSET:
                fields.insert(0, part_field(part))
            return container("", fields, total - len(shown) + len(fields), kind or cls)
        case naive.Shared(number, inner):
            target = ct_value(inner)
            return {
                "kind": "Reference",
                "dereferenced": target,
                "address": number,
                "mutable": True,
                "type": target["type"],
            }
        case naive.Cycle():
            return error("<cycle>", "Cycle")
        case naive.Absent(why):
            return {
                "redacted": error("<redacted>", "Redacted"),
                "dropped": error("<dropped>", "Dropped"),
                "omitted": error("<omitted: step size limit>", "Omitted"),
                "unknown": error("<recorded by a newer version>", "Unsupported"),
            }[why]
        case naive.Cut("int", bits, negative):
            return raw(f"<{'negative ' if negative else ''}int of {bits} bits>", kind or "int")
        case naive.Cut("str", total, shown):
            mark = f"… ({total} characters in all)" if total > len(shown) else ""
            return text_value(shown, mark, kind or "str")
        case naive.Cut("bytes", total, shown):
            mark = f"… ({total} bytes in all)" if total > len(shown) else ""
            return raw(repr(shown) + mark, kind or "bytes")
        case naive.Cut(builtin, total, shown):
            return container(builtin, shown, total, kind or builtin)
        case dict():
            return container("dict", list(value.items()), len(value), name)
    return container(type(value).__name__, list(value), len(value), name)


def part_field(part: Any) -> tuple[str, Any]:
    """The builtin part of an object as one of its fields."""
    if isinstance(part, naive.ExceptionObject):
        return EXCEPTION_FIELD, part.args
    known = type(part) in (tuple, list, set, frozenset, dict, int, float, complex, str, bytes)
    return (type(part).__name__ if known else "value"), part


def container(builtin: str, shown: list[Any], total: int, kind: str) -> Value:
    elements = [ct_value(item) for item in shown if item is not naive.DROPPED]
    if total > len(shown):
        elements.append(raw(f"… {total - len(shown)} more", "cut"))
    if builtin == "tuple":
        return {"kind": "Tuple", "elements": elements, "type": kind}
    return {"kind": "Sequence", "elements": elements, "is_slice": False, "type": kind}


def raw(text: str, kind: str) -> Value:
    return {"kind": "Raw", "r": text, "type": kind}


def error(text: str, kind: str) -> Value:
    return {"kind": "Error", "msg": text, "type": kind}


def escaped(text: str) -> str:
    """Text with its lone surrogates as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def text_value(text: str, mark: str, kind: str) -> Value:
    try:
        text.encode()
    except UnicodeEncodeError:
        return raw(escaped(text) + mark, kind)
    return {"kind": "String", "text": text + mark, "type": kind}


def message(value: Any) -> str:
    """Return the message of a raise record."""
    data = _message(ct_value(value)).encode()
    if len(data) > 512:
        return data[:512].decode("utf-8", "ignore") + "…"
    return data.decode()


def _message(exception: Value) -> str:
    match exception:
        case {"elements": [{"elements": [{"text": "args"}, {"elements": args}]}, *_]}:
            return _message_of(args, exception["type"])
        case {"elements": [{"elements": [{"text": "args"}, {"msg": hidden}]}, *_]}:
            return str(hidden)
    return ""


def _message_of(args: list[Value], kind: str) -> str:
    match args:
        case []:
            return ""
        case [{"kind": "String", "text": text}] if kind != "KeyError":
            return str(text)
        case [only]:
            return shown(only)
        case [{"kind": "Int", "i": number}, {"kind": "String", "text": text}, *_]:
            known = getattr(builtins, kind, None)
            if isinstance(known, type) and issubclass(known, OSError):
                return f"[Errno {number}] {text}"
        case [{"kind": "String", "text": text}, held] if kind in GROUPS:
            elements = held.get("dereferenced", held).get("elements")
            if elements is not None and all(each.get("type") != "cut" for each in elements):
                ending = "" if len(elements) == 1 else "s"
                return f"{text} ({len(elements)} sub-exception{ending})"
    return f"({', '.join(map(shown, args))})"


def shown(value: Value, depth: int = 0) -> str:
    """Return an argument of an exception as its message shows it."""
    if depth > 8:
        return "..."
    match value:
        case {"kind": "String", "text": text}:
            return quoted(text)
        case {"kind": "Bool", "b": truth}:
            return str(truth)
        case {"r": text} | {"msg": text}:
            return str(text)
        case {"kind": "Int", "i": number}:
            return str(number)
        case {"kind": "None"}:
            return "None"
        case {"kind": "Tuple", "elements": [only]}:
            return f"({shown(only, depth + 1)},)"
        case {"kind": "Tuple", "elements": elements}:
            return f"({', '.join(shown(each, depth + 1) for each in elements)})"
        case {"type": "list", "elements": elements}:
            return f"[{', '.join(shown(each, depth + 1) for each in elements)}]"
    return f"<{value['type']}>"


def quoted(text: str) -> str:
    """Return a text as repr() does, but for characters that a terminal cannot show."""
    quote = '"' if "'" in text and '"' not in text else "'"
    named = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", quote: f"\\{quote}"}
    return quote + "".join(named.get(mark, mark) for mark in text) + quote
