"""Packages for programs: built for an app on demand, kept by content, served as pip, npm, Maven and Go ask for them."""
