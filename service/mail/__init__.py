"""Mail: made, handed to a server, and read when it comes back."""
