"""Keeping a library: backups, and what a report of a fault needs."""
