"""Expressions to expressions: derivatives, bounds on rounding, simpler forms. Pure symbols, no point's numbers."""
