"""Instances whose dict lies where a base in C has put it, before and after they have one."""

import functools
import threading


class Call(functools.partial):
    pass


class Local(threading.local):
    pass


def use(kept):
    before = 1
    after = 2
    kept.mark = before
    kept.mark = after
    del kept.mark
    return before


use(Call(int))
use(Local())
