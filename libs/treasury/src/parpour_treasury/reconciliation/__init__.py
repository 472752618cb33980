"""What the bank says beside what the books say: matches that explain themselves, exceptions that people decide, and the
lock that keeps a database that has forgotten from paying twice.
"""
