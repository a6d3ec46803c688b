"""Papers for the data protection officer, filled from the settings and the code."""
