"""The tables, one module each, and the only code that speaks SQL."""
