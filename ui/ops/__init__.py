"""Running a server: start and end, logs, metrics, and what is said of errors."""
