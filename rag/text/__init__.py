"""Texts and questions as strings: Unicode, languages, sentences, passages, words and queries."""
