"""Reading and writing `.ct` trace containers."""
