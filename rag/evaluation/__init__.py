"""Evaluation of retrieval on labelled sets: a set, a library, its hits, metrics, a report."""
