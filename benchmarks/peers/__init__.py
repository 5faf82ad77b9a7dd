"""Other tools that the recorder is measured beside, in an environment of their own."""
