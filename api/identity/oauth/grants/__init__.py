"""One file for each way to get a token. This release has client_credentials; the rest have their place here."""
