"""Libraries that many machines share (lance), and indexing on many machines (ray)."""
