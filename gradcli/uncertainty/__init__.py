"""Measurement uncertainty by the GUM: measured values with their uncertainties, and what follows for results.

Layer: must not know how numbers are computed, nor terminals.
"""
