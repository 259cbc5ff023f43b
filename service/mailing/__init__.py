"""Mail to prospects: made, handed to a server, and read when an answer comes back."""
