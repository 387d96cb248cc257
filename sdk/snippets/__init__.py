"""Samples that call an operation through the SDK: in Python, TypeScript, Java and Go, from the model that SDKs are made of.

Each is a whole program: it compiles against the package and runs where the environment holds a credential. Texts and
names of a contract are data here as everywhere: they reach the source through the language's own escaping.
"""
