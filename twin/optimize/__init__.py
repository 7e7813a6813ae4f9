"""Decide: schedules, routes, replenishment, allocation, maintenance."""
