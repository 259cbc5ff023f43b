"""Events per second from the database in one process: folded, and verified with every hash, beside the rate of reading alone."""




TITLE = "Replay and verification, one process"

AIM_FOLDED, AIM_VERIFIED = 150_000.0, 75_000.0
