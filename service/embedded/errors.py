"""The one error of the embedded servers."""


class EmbeddedServerError(Exception):
    """A server of our own cannot be started or used; the message says why and what to do, in words for people."""
