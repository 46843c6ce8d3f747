"""A site as one would be run, for browsers that measure pages."""
