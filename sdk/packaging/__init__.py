"""Packages of SDKs: the archives that pip, npm, Maven and Go install, the same bytes from the same sources."""
