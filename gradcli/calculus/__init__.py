"""Expressions to expressions: derivatives, bounds on rounding errors, simpler forms.

Layer: purely symbolic; must not know the numbers of any point.
"""
