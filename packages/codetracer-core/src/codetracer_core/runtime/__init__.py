"""The recorder at work in a program: tracing and filtering."""
