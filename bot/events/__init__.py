"""Events from the side of staff: planned, changed, imported, prepared for on the day, and looked back on."""
