"""Settings that all tests share."""

from __future__ import annotations

import signal

from hypothesis import settings

# Examples run under load beside other work, where a deadline measures the machine.
settings.register_profile("repository", deadline=None)
settings.load_profile("repository")

# A parent that ignores signals, such as a shell for its background jobs or nohup, passes that on to
# the programs that tests end by them.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
