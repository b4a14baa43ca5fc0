"""A question to hits: candidates, scoring, late interaction, phrases and neighbours."""
