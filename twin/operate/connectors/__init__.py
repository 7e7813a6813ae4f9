"""Connectors: how messages reach other systems. Siblings of one contract (`contract`)."""
