"""Act: recommendations, approvals, pushes, audit, outcomes."""
