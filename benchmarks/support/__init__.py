"""What the benchmarks share: rounds, figures, tables, results, child processes."""
