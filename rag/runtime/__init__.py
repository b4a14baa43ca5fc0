"""The process and the machine under it: settings, files, threads, progress, no network."""
