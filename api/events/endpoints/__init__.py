"""Endpoints: where an app wants its events brought to, with which keys they are signed, and who may change that."""
