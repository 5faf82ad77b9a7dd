"""Programs that must behave the same recorded and unrecorded, as data for the tests."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["PROGRAMS", "RecordedProgram"]


@dataclass(frozen=True)
class RecordedProgram:
    """Files of a program, how to start it, and what it reads.

    ``words`` are what follows ``python`` on the command line. ``traced`` is false where no step of
    the program can be in the trace, ``finished`` where the process ends in a way that no exit
    handler sees.
    """

    source: str | bytes
    words: tuple[str, ...] = ("main.py",)
    files: dict[str, str | bytes] = field(default_factory=dict)
    stdin: bytes = b""
    traced: bool = True
    finished: bool = True
    status: int | None = None
    """What the exit status must be, where it is the point of the program."""


PROGRAMS: dict[str, RecordedProgram] = {
    "plain output": RecordedProgram("print('hello')\n", status=0),
    "exit with a number": RecordedProgram("import sys\nsys.exit(3)\n", status=3),
    "exit with none": RecordedProgram("import sys\nsys.exit()\n", status=0),
    "exit with text": RecordedProgram("import sys\nsys.exit('no such thing')\n", status=1),
    "exit with true": RecordedProgram("raise SystemExit(True)\n", status=1),
    "exit with a big number": RecordedProgram("raise SystemExit(2 ** 70)\n", status=255),
    "exit with a negative number": RecordedProgram("raise SystemExit(-2)\n", status=254),
    "exit with a number above 255": RecordedProgram("raise SystemExit(256)\n", status=0),
    "exit with a tuple": RecordedProgram("raise SystemExit(('a', 1))\n", status=1),
    "exit with a subclass": RecordedProgram(
        "class Done(SystemExit):\n    code = 7\nraise Done('unused')\n"
    ),
    "exit in a function with finally": RecordedProgram(
        "def f():\n    try:\n        raise SystemExit(4)\n"
        "    finally:\n        print('finally')\nf()\n"
    ),
    "uncaught exception": RecordedProgram(
        "def f(x):\n    return 1 / x\n\n\nprint('before', flush=True)\nf(0)\n", status=1
    ),
    "exception with a cause": RecordedProgram(
        "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('b') from error\n"
    ),
    "exception with a context": RecordedProgram("try:\n    {}['a']\nexcept KeyError:\n    [][1]\n"),
    "exception group": RecordedProgram(
        "raise ExceptionGroup('several', [ValueError(1), TypeError('two')])\n"
    ),
    "exception with notes": RecordedProgram(
        "e = ValueError('x')\ne.add_note('look here')\nraise e\n"
    ),
    "syntax error": RecordedProgram("x = (1,\n", status=1, traced=False),
    "syntax error in an import": RecordedProgram(
        "import other\n", files={"other.py": "def f(:\n"}, status=1
    ),
    "undecodable source": RecordedProgram(b"x = '\xe9'\n", status=1, traced=False),
    "latin-1 source": RecordedProgram(b"# coding: latin-1\nprint(ascii('\xe9'))\n"),
    "source with a byte order mark": RecordedProgram(b"\xef\xbb\xbfprint('bom')\n"),
    "source with null bytes": RecordedProgram(b"x = 1\n\0\n", traced=False),
    "no newline at the end": RecordedProgram("print(1)"),
    "empty source": RecordedProgram(""),
    "interrupted": RecordedProgram("raise KeyboardInterrupt\n", status=-2),
    "interrupted by the signal": RecordedProgram(
        "import os, signal\nprint(signal.getsignal(signal.SIGINT))\n"
        "os.kill(os.getpid(), signal.SIGINT)\nimport time\ntime.sleep(5)\n",
        status=-2,
    ),
    "interrupt caught": RecordedProgram(
        "try:\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt:\n    print('caught')\n"
    ),
    "terminated": RecordedProgram(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(5)\n",
        status=-15,
        finished=False,
    ),
    "own signal handler": RecordedProgram(
        "import os, signal\nsignal.signal(signal.SIGTERM, lambda *a: print('handled', a[0]))\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nprint(signal.getsignal(signal.SIGINT))\n"
    ),
    "arguments": RecordedProgram(
        "import sys\nprint(sys.argv)\n",
        words=("main.py", "-q", "--out-dir", "x", "--", "", "a b", "-m", "--help", "*"),
    ),
    "undecodable argument": RecordedProgram(
        "import os, sys\nprint(os.fsencode(sys.argv[1]))\n", words=("main.py", "\udce9\udcff")
    ),
    "what the interpreter says of itself": RecordedProgram(
        "import sys\nprint(sys.flags, sys.orig_argv, sys.path[0], sys.warnoptions)\n"
    ),
    "the main module": RecordedProgram(
        "import sys\n"
        "m = sys.modules['__main__']\n"
        "print(list(globals()), m.__dict__ is globals(), __file__, __name__, __spec__)\n"
        "print(__builtins__, __loader__.name, __loader__.path, __cached__, __package__, __doc__)\n"
    ),
    "path with dots": RecordedProgram(
        "import sys\nprint(__file__, sys.argv, sys.path[0])\n1/0\n",
        words=("./sub/../main.py",),
        files={"sub/empty.txt": ""},
    ),
    "symbolic link": RecordedProgram(
        "import link_target_neighbour\n",
        words=("link.py",),
        files={
            "real/script.py": "import sys, neighbour\nprint(__file__, sys.path[0])\n",
            "real/neighbour.py": "print('neighbour')\n",
            "link.py": "-> real/script.py",
        },
    ),
    "modules of the program that are named like the standard library's": RecordedProgram(
        "import json, token, inspect, copy, dataclasses, argparse, pathlib, re, enum, ast\n"
        "print(json.MINE, token.MINE, copy.MINE)\n",
        files={
            f"{name}.py": f"print('own {name}')\nMINE = {name!r}\n"
            for name in (
                *("json", "token", "inspect", "copy", "dataclasses", "argparse", "pathlib", "re"),
                *("enum", "ast", "struct", "hashlib", "uuid", "shutil", "tempfile", "queue"),
            )
        },
    ),
    "imported modules": RecordedProgram(
        "import sys\nprint('json' in sys.modules, 're' in sys.modules, 'enum' in sys.modules)\n"
        "import json, dataclasses, collections.abc, importlib.util, typing\n"
        "print(json.loads('[1]'), collections.abc.Mapping, importlib.util.find_spec('json').name)\n"
    ),
    "package beside the script": RecordedProgram(
        "from pack.sub import f\nprint(f(2), f.__module__)\n",
        files={"pack/__init__.py": "", "pack/sub.py": "def f(x):\n    return x * 2\n"},
    ),
    "the frames below": RecordedProgram(
        "import sys, traceback, inspect\nprint(sys._getframe().f_back, len(inspect.stack()))\n"
        "traceback.print_stack()\n"
        "def f():\n    traceback.print_stack()\nf()\n"
    ),
    "warning attributed to the caller": RecordedProgram(
        "import warnings\nwarnings.warn('one')\nwarnings.warn('two', stacklevel=2)\n"
        "def f():\n    warnings.warn('three', stacklevel=2)\nf()\n"
    ),
    "recursion limit": RecordedProgram(
        "import sys\n"
        "def f(n):\n    try:\n        return f(n + 1)\n"
        "    except RecursionError:\n        return n\n"
        "print(f(0))\nsys.setrecursionlimit(300)\nprint(f(0))\n"
    ),
    "exit handlers": RecordedProgram(
        "import atexit\n"
        "class Fails:\n    def __repr__(self):\n        return 'fails'\n"
        "    def __call__(self):\n        return 1 / 0\n"
        "atexit.register(print, 'first')\natexit.register(Fails())\n"
        "atexit.register(lambda: print('file' if '__file__' in globals() else 'no file'))\n"
        "print('end')\n"
    ),
    "exit handlers after an exit": RecordedProgram(
        "import atexit, sys\n"
        "atexit.register(lambda: print('file' if '__file__' in globals() else 'no file'))\n"
        "sys.exit(5)\n",
        status=5,
    ),
    "exit inside an exit handler": RecordedProgram(
        "import atexit, sys\natexit.register(sys.exit, 3)\nprint('end')\n"
    ),
    "thread that outlives the main module": RecordedProgram(
        "import threading, time\n"
        "def work():\n    time.sleep(0.2)\n    print('thread', threading.active_count())\n"
        "threading.Thread(target=work).start()\nprint('main ends')\n"
    ),
    "daemon thread": RecordedProgram(
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint('main ends')\n"
    ),
    "exception in a thread": RecordedProgram(
        "import threading\n"
        "t = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()\n"
        "print(len(threading.enumerate()))\n"
    ),
    "exit in a thread": RecordedProgram(
        "import sys, threading\n"
        "t = threading.Thread(target=sys.exit, args=(3,))\nt.start()\nt.join()\n",
        status=0,
    ),
    "thread pool": RecordedProgram(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(3) as pool:\n    print(list(pool.map(abs, range(-5, 5))))\n"
    ),
    "exception hook": RecordedProgram(
        "import sys\n"
        "def hook(kind, value, tb):\n"
        "    print('hook', kind.__name__, value, tb.tb_lineno, tb.tb_next)\n"
        "sys.excepthook = hook\nraise ValueError(3)\n"
    ),
    "exception hook that fails": RecordedProgram(
        "import sys\ndef hook(*a):\n    raise TypeError('in hook')\nsys.excepthook = hook\n1 / 0\n"
    ),
    "exception hook that exits": RecordedProgram(
        "import sys\ndef hook(*a):\n    sys.exit(9)\nsys.excepthook = hook\n1 / 0\n", status=9
    ),
    "the last exception": RecordedProgram(
        "import atexit, sys\n"
        "atexit.register(lambda: print(repr(sys.last_value), sys.last_traceback.tb_lineno))\n"
        "1 / 0\n"
    ),
    "os._exit": RecordedProgram(
        "import os\nprint('x', flush=True)\nos._exit(6)\n", status=6, finished=False
    ),
    "standard input": RecordedProgram(
        "import sys\nprint(input('name? '))\nprint(sys.stdin.read().upper())\n",
        stdin=b"ada\nlovelace\n",
    ),
    "end of standard input": RecordedProgram("input()\n", status=1),
    "child process": RecordedProgram(
        "import subprocess, sys\n"
        "command = [sys.executable, '-c', 'print(1); raise SystemExit(2)']\n"
        "print(subprocess.run(command).returncode)\n"
    ),
    "spawned pool": RecordedProgram(
        "import multiprocessing\n"
        "def f(x):\n    return x * x\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print(pool.map(f, range(5)))\n"
    ),
    "functions looked up by pickle": RecordedProgram(
        "import pickle\nclass A:\n    pass\ndef f():\n    pass\n"
        "print(pickle.loads(pickle.dumps(f)) is f, type(pickle.loads(pickle.dumps(A()))) is A)\n"
    ),
    "runpy inside": RecordedProgram(
        "import runpy, sys\nprint(runpy.run_path('other.py', run_name='__main__')['x'])\n",
        files={"other.py": "import sys\nx = sys.modules['__main__'].__file__\nprint(__name__)\n"},
    ),
    "destructors at exit": RecordedProgram(
        "class A:\n    def __init__(self, n):\n        self.n = n\n"
        "    def __del__(self):\n        print('deleted', self.n)\n"
        "a = A(1)\nb = A(2)\na.me = a\nprint('end')\n"
    ),
    "closed standard output": RecordedProgram("import sys\nsys.stdout.close()\n"),
    "replaced standard streams": RecordedProgram(
        "import io, sys\nsys.stdout = io.StringIO()\nprint('lost')\nsys.stderr = None\n"
        "sys.__stdout__.write('kept\\n')\n"
    ),
    "no standard error and an exit message": RecordedProgram(
        "import sys\nsys.stderr = None\nsys.exit('message')\n", status=1
    ),
    "standard output that cannot be flushed": RecordedProgram(
        "import os\nprint('lost')\nos.close(1)\n", status=120
    ),
    "encoding of the streams": RecordedProgram(
        "import sys\nfor s in (sys.stdin, sys.stdout, sys.stderr):\n"
        "    print(s.encoding, s.errors, s.line_buffering, s.isatty())\n"
    ),
    "file descriptors": RecordedProgram(
        "import os\nprint(os.open(__file__, os.O_RDONLY), os.dup(0), os.pipe())\n"
    ),
    "the directory changed": RecordedProgram(
        "import os\nos.chdir('sub')\nprint(os.listdir())\n", files={"sub/file": ""}
    ),
    "trace function of its own": RecordedProgram(
        "import sys\nseen = []\n"
        "def tracer(frame, event, arg):\n"
        "    seen.append((event, frame.f_lineno))\n    return tracer\n"
        "def f():\n    return 1\nsys.settrace(tracer)\nf()\nsys.settrace(None)\nprint(seen)\n"
    ),
    "locals": RecordedProgram(
        "def f(a):\n    b = locals()\n    c = 1\n    return b, locals() is b\n"
        "print(f(1)[0].keys() - {'b'}, f(2)[0]['a'])\n"
    ),
    "coroutines": RecordedProgram(
        "import asyncio\n"
        "async def f(n):\n    await asyncio.sleep(0)\n    return n\n"
        "async def main():\n    print(await asyncio.gather(*map(f, range(4))))\n"
        "asyncio.run(main())\n"
    ),
    "generators": RecordedProgram(
        "def g():\n    try:\n        x = yield 1\n        print('got', x)\n        yield 2\n"
        "    finally:\n        print('closed')\n"
        "i = g()\nprint(next(i), i.send('s'))\ni.close()\n"
    ),
    "interrupted in a thread's shadow": RecordedProgram(
        "import threading, time\nt = threading.Thread(target=time.sleep, args=(0.2,))\nt.start()\n"
        "raise KeyboardInterrupt\n",
        status=-2,
    ),
    "forked child": RecordedProgram(
        "import os, sys\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    print('child', flush=True)\n    sys.exit(3)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    ),
    "module": RecordedProgram(
        "import sys\nprint(sys.argv[1:], __name__, __spec__.name, __file__, sys.path[0])\n",
        words=("-m", "main", "-c", "x"),
    ),
    "module of a package": RecordedProgram(
        "",
        words=("-m", "pack.tool", "1"),
        files={
            "pack/__init__.py": "import sys\nprint('package', sys.argv)\n",
            "pack/tool.py": "from . import __name__ as n\nprint(n, __package__)\n1 / 0\n",
        },
    ),
    "package that is run": RecordedProgram(
        "",
        words=("-mpack",),
        files={"pack/__init__.py": "", "pack/__main__.py": "print(__name__)\n"},
    ),
    "module that does not exist": RecordedProgram("", words=("-m", "nowhere.x"), traced=False),
    "interrupted module": RecordedProgram(
        "raise KeyboardInterrupt\n", words=("-m", "main"), status=-2
    ),
    "command": RecordedProgram(
        "", words=("-c", "import sys; print(sys.argv, sys.path[0] == '')", "a", "-b")
    ),
    "command that fails": RecordedProgram("", words=("-c", "def f():\n  1 / 0\nf()"), status=1),
    "command that does not compile": RecordedProgram("", words=("-c", "x = ("), traced=False),
    "folder": RecordedProgram(
        "",
        words=("app", "a"),
        files={
            "app/__main__.py": "import sys, helper\nprint(sys.argv, sys.path[0], __file__)\n",
            "app/helper.py": "print('helper')\n",
        },
    ),
    "folder without a main module": RecordedProgram(
        "", words=("app",), files={"app/x.py": ""}, traced=False, status=1
    ),
    "globals that are attributes": RecordedProgram(
        # The dict and the instance share their storage: a new value of the attribute frees the old.
        "class Space: pass\n"
        "space = Space()\n"
        "space.value = [0]\n"
        "space.done = None\n"
        "exec(compile('def read(change):\\n'\n"
        "             '    first = len(value)\\n'\n"
        "             '    change(1)\\n'\n"
        "             '    second = len(value)\\n'\n"
        "             '    change(2)\\n'\n"
        "             '    return first, second, value[0]\\n', __file__, 'exec'), space.__dict__)\n"
        "def change(n):\n"
        "    space.value = [n, 'new'] * 50\n"
        "for _ in range(3):\n"
        "    print(space.read(change))\n",
        status=0,
    ),
    "first call at the limit of recursion": RecordedProgram(
        "import sys\n"
        "sys.setrecursionlimit(300)\n"
        "def down(n, leaf):\n"
        "    return leaf() if n == 0 else down(n - 1, leaf)\n"
        "results = []\n"
        "for k in range(60):\n"
        "    names = {}\n"
        "    exec(compile(f'def leaf(): return {k}\\n', __file__, 'exec'), names)\n"
        "    try:\n"
        "        results.append(down(sys.getrecursionlimit() - 30 + k, names['leaf']))\n"
        "    except RecursionError:\n"
        "        results.append(None)\n"
        "print(results)\n",
        status=0,
    ),
    "code with names of a subclass of str": RecordedProgram(
        "class Name(str):\n"
        "    def startswith(self, *args):\n"
        "        print('startswith')\n"
        "        return str.startswith(self, *args)\n"
        "    def __hash__(self):\n"
        "        print('hash')\n"
        "        return str.__hash__(self)\n"
        "    def __eq__(self, other):\n"
        "        print('eq')\n"
        "        return str.__eq__(self, other)\n"
        "def f():\n"
        "    return 1\n"
        "f.__code__ = f.__code__.replace(\n"
        "    co_filename=Name(__file__), co_name=Name('n'), co_qualname=Name('q')\n"
        ")\n"
        "print(f())\n",
        status=0,
    ),
    "forked pool": RecordedProgram(
        "import multiprocessing\n"
        "def f(x):\n    return x * x\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    print(pool.map(f, range(5)))\n",
        status=0,
    ),
    "forked process with a queue": RecordedProgram(
        "import multiprocessing, sys\n"
        "context = multiprocessing.get_context('fork')\n"
        "def work(queue):\n    queue.put(sys.argv)\n    sys.exit(5)\n"
        "queue = context.Queue()\n"
        "process = context.Process(target=work, args=(queue,))\n"
        "process.start()\nprint(queue.get())\nprocess.join()\nprint(process.exitcode)\n",
        words=("main.py", "a"),
        status=0,
    ),
    "spawned process that fails": RecordedProgram(
        "import multiprocessing\n"
        "def work():\n    raise ValueError('in the child')\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('spawn').Process(target=work, name='child')\n"
        "    process.start()\n    process.join()\n    print(process.exitcode)\n",
        status=0,
    ),
    "fork server": RecordedProgram(
        "import multiprocessing\n"
        "def f(x):\n    return x + 1\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('forkserver').Pool(1) as pool:\n"
        "        print(pool.map(f, range(3)))\n",
        status=0,
    ),
    "forked child that fails": RecordedProgram(
        "import os\n"
        "if os.fork() == 0:\n    1 / 0\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\n",
        status=0,
    ),
    "forked child that outlives its parent": RecordedProgram(
        "import os, time\n"
        "if os.fork() == 0:\n    time.sleep(0.3)\n    print('child', flush=True)\n    os._exit(0)\n"
        "print('parent')\n",
    ),
    "another program in the place of this one": RecordedProgram(
        "import os, sys\n"
        "if len(sys.argv) < 3:\n"
        "    print('first', flush=True)\n"
        "    os.execv(sys.executable, [sys.executable, *sys.argv, 'again'])\n"
        "print('second', sys.argv)\n",
        words=("main.py", "a"),
        finished=False,
        status=0,
    ),
    "undecodable name of the script": RecordedProgram(
        "",
        words=("caf\udce9.py",),
        files={
            "caf\udce9.py": "import os, sys\nprint(os.fsencode(__file__), ascii(sys.argv))\n1/0\n"
        },
        status=1,
    ),
    "undecodable names that are imported": RecordedProgram(
        "import os, sys\nsys.path.append(os.fsdecode(b'caf\\xe9'))\nimport inner\n",
        files={"caf\udce9/inner.py": "import os\nprint(os.fsencode(__file__))\n"},
        status=0,
    ),
    "Cyrillic source": RecordedProgram(
        "# coding: koi8-r\ndef f(x):\n    return x\nprint(ascii(f('\u043f')))\n".encode("koi8-r"),
        status=0,
    ),
    "source with an unknown encoding": RecordedProgram(
        "# coding: nothing\nprint(1)\n", traced=False, status=1
    ),
    "link to a folder": RecordedProgram(
        "",
        words=("link",),
        files={
            "app/__main__.py": "import sys\nprint(__file__, sys.path[0], sys.argv)\n",
            "link": "-> app",
        },
        status=0,
    ),
    "module run inside": RecordedProgram(
        "import runpy, sys\n"
        "runpy.run_module('other', run_name='__main__', alter_sys=True)\nprint(sys.argv)\n",
        files={
            "other.py": "import sys\nprint(__name__, sys.argv, sys.modules['__main__'].__file__)\n"
        },
        status=0,
    ),
    "threads that start threads after the main module": RecordedProgram(
        "import threading, time\n"
        "def work(n):\n    time.sleep(0.05)\n    print(n, flush=True)\n"
        "    if n:\n        threading.Thread(target=work, args=(n - 1,)).start()\n"
        "threading.Thread(target=work, args=(3,)).start()\n",
        status=0,
    ),
    "os._exit in a thread": RecordedProgram(
        "import os, threading, time\n"
        "threading.Thread(target=lambda: (print('x', flush=True), os._exit(4))).start()\n"
        "time.sleep(5)\n",
        status=4,
        finished=False,
    ),
    "standard streams that are None": RecordedProgram(
        "import atexit, os, sys\nsys.stdin = sys.stdout = sys.stderr = None\n"
        "print('lost')\natexit.register(os.write, 1, b'kept')\nraise ValueError\n",
        status=1,
    ),
    "closed standard error": RecordedProgram(
        "import os, sys\nsys.stderr.close()\nos.close(2)\nprint(open(__file__).fileno())\n1 / 0\n",
        status=1,
    ),
    "standard output handed to a file": RecordedProgram(
        "import os, sys\n"
        "file = os.open('written', os.O_WRONLY | os.O_CREAT)\n"
        "os.dup2(file, 2)\nprint('to standard error', file=sys.stderr)\n"
        "sys.stderr.flush()\nprint(open('written').read())\n",
        status=0,
    ),
    "program on standard input": RecordedProgram(
        "",
        words=("-", "a"),
        stdin=b"import sys\nprint(sys.argv, __name__)\n1 / 0\n",
    ),
    "command that cannot be decoded": RecordedProgram(
        "", words=("-c", "print('\udcff')"), traced=False, status=1
    ),
}
