"""Bundles: a part of the log, or all of it, in one file that anybody can check without us."""
