"""What families do with drop-ins and events: look, book, change, cancel; and pupils who ask for an adult."""
