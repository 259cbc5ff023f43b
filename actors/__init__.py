"""The imperative shell: Dramatiq actors, one transition each, over one transaction that applies them."""
