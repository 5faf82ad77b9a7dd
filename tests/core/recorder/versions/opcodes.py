def catching():
    try:
        raise ValueError
    except ValueError:
        caught = 1


def trace(frame, event, value):
    if frame.f_code is catching.__code__:
        frame.f_trace_opcodes = True
        return trace


import sys

catching()
sys.settrace(trace)
catching()
sys.settrace(None)
catching()
