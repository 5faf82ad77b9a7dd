"""Measures what recording costs: ``python -m benchmarks`` in the root of the repository.

``support`` holds what every measurement needs, ``measure`` one module a subject, ``workloads`` the
programs that are recorded, ``peers`` other tools, ``native`` small C modules, and ``regression``
the comparison of two commits.
"""
