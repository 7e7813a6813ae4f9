"""Rehearse: an emulated operation to listen to, with parameters that the twin is not told."""
