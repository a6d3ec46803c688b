"""Papers as PDF: letters with codes, and the copy of a queue item for the school's own record."""
