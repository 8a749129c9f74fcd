"""Truth: proved digits, one-sided limits and verdicts, by ball arithmetic and series at single points.

Layer: must not know files, options or how many points there are.
"""
