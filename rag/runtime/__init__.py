"""Process and machine: settings, files, threads, progress, air-gapped mode."""
