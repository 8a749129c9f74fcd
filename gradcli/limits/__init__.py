"""Limits of a request: bytes of memory held at once, and steps of symbolic work."""
