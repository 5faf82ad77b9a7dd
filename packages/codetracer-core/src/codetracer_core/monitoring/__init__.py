"""Receiving the events of ``sys.monitoring``, by the native tracer or by one written in Python."""
