"""Who gets in, from where, as what, how often and with how much."""
