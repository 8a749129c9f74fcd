"""Pictures of functions, which are proved: no spike missed, no false vertical; and what a curve does."""
