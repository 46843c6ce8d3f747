"""The parts of benchmarks/stream.py: provider, floors, clients, and the figures."""
