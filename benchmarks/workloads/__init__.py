"""The programs that the benchmarks record. Each has ``run(n)`` and is a command: ``fib.py 20``."""
