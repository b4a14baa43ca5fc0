"""The pages beside the ask page, and what they are made of."""
