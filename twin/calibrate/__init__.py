"""Learn: estimators of table cells, life data, and what is not known about a parameter."""
