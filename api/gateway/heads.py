"""Plain message heads, read and written in one go: a GET without a body, an answer that came whole.

Nearly all messages are such, and a parser that calls back for each line costs three times as much. Whatever is
not plain beyond doubt (another method, a body, chunks, a part of a message, two of them, an odd byte) is None
here and goes to httptools. So what is read here is read as httptools reads it, and never more of it. In native
code where that was built (hatch_build.py), else in Python; both do the same.
"""

try:
    from api.gateway._heads import join_head, read_answer, read_request

    IS_NATIVE = True
except ImportError:
    from api.gateway.heads_python import join_head, read_answer, read_request

    IS_NATIVE = False

__all__ = ["IS_NATIVE", "join_head", "read_answer", "read_request"]
