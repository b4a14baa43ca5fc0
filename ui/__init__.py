"""The page: questions in a browser, answered by sentences of one's own articles."""
