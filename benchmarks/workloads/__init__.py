"""The programs that the benchmarks record.

Each has a function ``run(n)`` and is a command, ``fib.py N``, which prints the result and the
seconds that the work took inside the process: no start of the interpreter, no making of a trace.
"""
