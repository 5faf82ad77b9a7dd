"""Recording sessions: what is checked before one starts, its start and its stop."""
