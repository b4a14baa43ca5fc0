"""One run from discovered files to a published index."""
