"""What the pages show, and their routes; their HTML is in :mod:`ui.templates`."""
