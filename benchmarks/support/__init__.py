"""What the benchmark commands share: rounds, child processes, recordings in process, tables."""
