"""The figures of ``whole_process.py``: one module a subject, each a function of `fast`."""
