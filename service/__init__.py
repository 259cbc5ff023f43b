"""The edge: settings, wiring, command line, embedded servers. The only package that reads the environment."""
