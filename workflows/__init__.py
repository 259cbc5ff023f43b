"""The pure core: what may be asked, what has happened, and what follows. No I/O, no clock, no randomness."""
