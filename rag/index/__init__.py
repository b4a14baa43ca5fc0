"""What is stored and searched on this machine: SQLite, FAISS and tantivy behind one engine."""
