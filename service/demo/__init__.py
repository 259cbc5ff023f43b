"""The demonstration: half a year of 5+5+5 for one rep, through real servers, workers and clock, in a minute or two."""
