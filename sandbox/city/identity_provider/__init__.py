"""The city's own identity provider: a small real OpenID provider for citizens, companies and civil servants.

It stands outside the platform, as a national one would: the platform reaches it over HTTP as a relying party.
"""
