"""Whether a library answers a question, how sure that is, and whether what is in it is found."""
