"""The tests' site as it would be without polly_htmx, to be compared with it."""
