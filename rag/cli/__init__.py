"""What ``rag`` can be told to do, a module for each command that is more than a few lines."""
