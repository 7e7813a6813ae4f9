"""The verbs over HTTP: a door, as the command line is."""
