"""What two runs of one program do not have in common."""

VOLATILE = frozenset(
    {
        "Thread",
        "Event",
        "Condition",
        "Task",
        "_MainThread",
        "Random",
        "Own",
        "_GatheringFuture",
        "Scanner",
        "TaskGroup",
        "_UnixSelectorEventLoop",
        "OddTask",
        "OddLoop",
        "Queue",
    }
)
"""Classes whose objects differ from run to run, or change while another thread runs."""
