"""Hear: sources, cleaning, folding readings into state, alerts."""
