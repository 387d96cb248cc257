#define _GNU_SOURCE /* memmem */
/* Plain message heads in native code: the same three functions as api/gateway/heads_python.py, which says what
 * they promise; tests/gateway/test_heads.py holds both against each other and against httptools.
 *
 * Input is one bytes object that is only read, within its length; nothing is kept but names of headers (public
 * words, at most NAMES of them). Every allocation is checked; an error is an exception, never a half result.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#define MAX_REQUEST 16384
#define MAX_ANSWER 262144
#define MAX_ANSWER_HEADERS 99
#define NAMES 256
#define MAX_NAME 64

static unsigned char lower_of[256]; /* of a token's bytes, 0 for all others */
static unsigned char is_odd[256];   /* in a value: control characters but tab */
static PyObject *names[NAMES];
static PyObject *empty;

/* The bytes object of a header name in lower case; the same object for the same name, nearly always. */
static PyObject *name_of(const unsigned char *text, Py_ssize_t length) {
    unsigned char lower[MAX_NAME];
    if (length > MAX_NAME) {
        PyObject *made = PyBytes_FromStringAndSize(NULL, length);
        if (made != NULL)
            for (Py_ssize_t i = 0; i < length; i++)
                PyBytes_AS_STRING(made)[i] = (char)lower_of[text[i]];
        return made;
    }
    unsigned int hash = (unsigned int)length;
    for (Py_ssize_t i = 0; i < length; i++) {
        lower[i] = lower_of[text[i]];
        hash = hash * 31 + lower[i];
    }
    PyObject **place = &names[hash % NAMES];
    if (*place != NULL && PyBytes_GET_SIZE(*place) == length && memcmp(PyBytes_AS_STRING(*place), lower, length) == 0)
        return Py_NewRef(*place);
    PyObject *made = PyBytes_FromStringAndSize((const char *)lower, length);
    if (made != NULL)
        Py_XSETREF(*place, Py_NewRef(made));
    return made;
}

static int is_name(PyObject *name, const char *text) {
    Py_ssize_t length = (Py_ssize_t)strlen(text);
    return PyBytes_GET_SIZE(name) == length && memcmp(PyBytes_AS_STRING(name), text, length) == 0;
}

static int is_keep_alive(const unsigned char *text, Py_ssize_t length) {
    static const char word[] = "keep-alive";
    if (length != 10)
        return 0;
    for (int i = 0; i < 10; i++)
        if (lower_of[text[i]] != (unsigned char)word[i])
            return 0;
    return 1;
}

/* Header lines from `at` to the blank line that ends at `end`, appended to `headers`.
 * 1: all plain; 0: not plain; -1: an exception. `body_length`: NULL for a request, else receives Content-Length. */
static int read_lines(const unsigned char *at, const unsigned char *end, PyObject *headers, Py_ssize_t *body_length) {
    int count = 0;
    while (at < end) {
        const unsigned char *line_end = memchr(at, '\r', end - at);
        if (line_end == NULL || line_end + 1 >= end || line_end[1] != '\n')
            return 0;
        const unsigned char *colon = at;
        while (colon < line_end && lower_of[*colon])
            colon++;
        if (colon == at || colon == line_end || *colon != ':')
            return 0;
        const unsigned char *from = colon + 1, *to = line_end;
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        unsigned char odd = to > from && (to[-1] == ' ' || to[-1] == '\t'); /* httptools' reading of these is its own */
        for (const unsigned char *one = from; one < to; one++)
            odd |= is_odd[*one];
        if (odd || (body_length != NULL && ++count > MAX_ANSWER_HEADERS))
            return 0;
        PyObject *name = name_of(at, colon - at);
        if (name == NULL)
            return -1;
        int is_plain = 1;
        switch (PyBytes_GET_SIZE(name)) {
        case 6:
            is_plain = !is_name(name, "expect");
            break;
        case 7:
            is_plain = !is_name(name, "upgrade");
            break;
        case 10:
            is_plain = !is_name(name, "connection") || is_keep_alive(from, to - from);
            break;
        case 14:
            if (is_name(name, "content-length")) {
                if (body_length == NULL || *body_length >= 0 || to == from || to - from > 7) {
                    is_plain = 0;
                } else {
                    Py_ssize_t number = 0;
                    for (const unsigned char *one = from; one < to; one++) {
                        if (*one < '0' || *one > '9')
                            is_plain = 0;
                        number = number * 10 + (*one - '0');
                    }
                    *body_length = number;
                }
            }
            break;
        case 16:
            is_plain = !is_name(name, "proxy-connection") || is_keep_alive(from, to - from);
            break;
        case 17:
            is_plain = !is_name(name, "transfer-encoding");
            break;
        }
        if (!is_plain) {
            Py_DECREF(name);
            return 0;
        }
        PyObject *value = PyBytes_FromStringAndSize((const char *)from, to - from);
        PyObject *pair = value == NULL ? NULL : PyTuple_New(2);
        if (pair == NULL) {
            Py_DECREF(name);
            Py_XDECREF(value);
            return -1;
        }
        PyTuple_SET_ITEM(pair, 0, name);
        PyTuple_SET_ITEM(pair, 1, value);
        int failed = PyList_Append(headers, pair);
        Py_DECREF(pair);
        if (failed)
            return -1;
        at = line_end + 2;
    }
    return 1;
}

/* A tuple of three that takes the references over; NULL when one of them is NULL. */
static PyObject *three(PyObject *first, PyObject *second, PyObject *third) {
    PyObject *made = first == NULL || second == NULL || third == NULL ? NULL : PyTuple_New(3);
    if (made == NULL) {
        Py_XDECREF(first);
        Py_XDECREF(second);
        Py_XDECREF(third);
        return NULL;
    }
    PyTuple_SET_ITEM(made, 0, first);
    PyTuple_SET_ITEM(made, 1, second);
    PyTuple_SET_ITEM(made, 2, third);
    return made;
}

static PyObject *read_request(PyObject *module, PyObject *data) {
    if (!PyBytes_CheckExact(data))
        Py_RETURN_NONE;
    const unsigned char *text = (const unsigned char *)PyBytes_AS_STRING(data);
    Py_ssize_t size = PyBytes_GET_SIZE(data);
    if (size < 22 || size > MAX_REQUEST || memcmp(text, "GET /api/", 9) || memcmp(text + size - 4, "\r\n\r\n", 4))
        Py_RETURN_NONE;
    const unsigned char *end = text + size - 2; /* behind the last line's own end */
    const unsigned char *at = text + 4, *query = NULL;
    for (; at < end && *at > 0x20 && *at < 0x7f && *at != '#'; at++)
        if (*at == '?' && query == NULL)
            query = at + 1;
    if (end - at < 11 || memcmp(at, " HTTP/1.1\r\n", 11))
        Py_RETURN_NONE;
    PyObject *headers = PyList_New(0);
    if (headers == NULL)
        return NULL;
    int found = read_lines(at + 11, end, headers, NULL);
    if (found != 1) {
        Py_DECREF(headers);
        if (found < 0)
            return NULL;
        Py_RETURN_NONE;
    }
    const unsigned char *path_end = query == NULL ? at : query - 1;
    return three(
        PyBytes_FromStringAndSize((const char *)text + 4, path_end - text - 4),
        query == NULL ? Py_NewRef(empty) : PyBytes_FromStringAndSize((const char *)query, at - query), headers);
}

static PyObject *read_answer(PyObject *module, PyObject *data) {
    if (!PyBytes_CheckExact(data))
        Py_RETURN_NONE;
    const unsigned char *text = (const unsigned char *)PyBytes_AS_STRING(data);
    Py_ssize_t size = PyBytes_GET_SIZE(data);
    if (size < 19 || size > MAX_ANSWER || memcmp(text, "HTTP/1.1 ", 9) || text[12] != ' ')
        Py_RETURN_NONE;
    int status = 0;
    for (int i = 9; i < 12; i++) {
        if (text[i] < '0' || text[i] > '9')
            Py_RETURN_NONE;
        status = status * 10 + (text[i] - '0');
    }
    if (status < 200 || status > 599 || status == 204 || status == 304)
        Py_RETURN_NONE;
    const unsigned char *head_end = memmem(text, size, "\r\n\r\n", 4);
    if (head_end == NULL)
        Py_RETURN_NONE;
    const unsigned char *at = text + 13;
    while (!is_odd[*at])
        at++; /* ends at the latest at the blank line */
    if (at[0] != '\r' || at[1] != '\n')
        Py_RETURN_NONE;
    const unsigned char *body = head_end + 4;
    PyObject *headers = PyList_New(0);
    if (headers == NULL)
        return NULL;
    Py_ssize_t length = -1;
    int found = read_lines(at + 2, head_end + 2, headers, &length);
    if (found != 1 || length != text + size - body) {
        Py_DECREF(headers);
        if (found < 0)
            return NULL;
        Py_RETURN_NONE;
    }
    return three(
        PyLong_FromLong(status), headers, PyBytes_FromStringAndSize((const char *)body, text + size - body));
}

/* The two bytes objects of a header pair, borrowed; 0 with an exception where it is none. */
static int pair_of(PyObject *pair, PyObject **name, PyObject **value) {
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 || !PyBytes_Check(PyTuple_GET_ITEM(pair, 0)) ||
        !PyBytes_Check(PyTuple_GET_ITEM(pair, 1))) {
        PyErr_SetString(PyExc_TypeError, "a header is a pair of bytes");
        return 0;
    }
    *name = PyTuple_GET_ITEM(pair, 0);
    *value = PyTuple_GET_ITEM(pair, 1);
    return 1;
}

static char *put(char *at, PyObject *text, unsigned char *breaks) {
    Py_ssize_t length = PyBytes_GET_SIZE(text);
    const char *from = PyBytes_AS_STRING(text);
    unsigned char found = 0;
    for (Py_ssize_t i = 0; i < length; i++) {
        char one = from[i];
        found |= (one == '\r') | (one == '\n') | (one == '\0');
    }
    memcpy(at, from, length);
    *breaks |= found;
    return at + length;
}

static PyObject *join_head(PyObject *module, PyObject *const *arguments, Py_ssize_t count) {
    if (count != 4 || !PyBytes_Check(arguments[0]) || !PyList_Check(arguments[1]) || !PyList_Check(arguments[2]) ||
        !PyBytes_Check(arguments[3])) {
        PyErr_SetString(PyExc_TypeError, "join_head(first: bytes, headers: list, more: list, last: bytes)");
        return NULL;
    }
    PyObject *first = arguments[0], *last = arguments[3], *name, *value;
    Py_ssize_t size = PyBytes_GET_SIZE(first) + PyBytes_GET_SIZE(last);
    for (int part = 1; part <= 2; part++)
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(arguments[part]); i++) {
            if (!pair_of(PyList_GET_ITEM(arguments[part], i), &name, &value))
                return NULL;
            size += PyBytes_GET_SIZE(name) + PyBytes_GET_SIZE(value) + 4;
        }
    PyObject *made = PyBytes_FromStringAndSize(NULL, size);
    if (made == NULL)
        return NULL;
    unsigned char breaks = 0;
    char *at = PyBytes_AS_STRING(made);
    memcpy(at, PyBytes_AS_STRING(first), PyBytes_GET_SIZE(first));
    at += PyBytes_GET_SIZE(first);
    for (int part = 1; part <= 2; part++)
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(arguments[part]); i++) {
            pair_of(PyList_GET_ITEM(arguments[part], i), &name, &value);
            at = put(at, name, &breaks);
            *at++ = ':';
            *at++ = ' ';
            at = put(at, value, &breaks);
            *at++ = '\r';
            *at++ = '\n';
        }
    memcpy(at, PyBytes_AS_STRING(last), PyBytes_GET_SIZE(last));
    if (breaks) {
        Py_DECREF(made);
        Py_RETURN_NONE;
    }
    return made;
}

static PyMethodDef functions[] = {
    {"read_request", read_request, METH_O, "See api.gateway.heads_python."},
    {"read_answer", read_answer, METH_O, "See api.gateway.heads_python."},
    {"join_head", (PyCFunction)(void (*)(void))join_head, METH_FASTCALL, "See api.gateway.heads_python."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_heads", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__heads(void) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (const char *one = marks; *one; one++)
        lower_of[(unsigned char)*one] = (unsigned char)*one;
    for (int one = '0'; one <= '9'; one++)
        lower_of[one] = (unsigned char)one;
    for (int one = 'a'; one <= 'z'; one++)
        lower_of[one] = lower_of[one - 32] = (unsigned char)one;
    for (int one = 0; one < 32; one++)
        is_odd[one] = one != '\t';
    is_odd[127] = 1;
    empty = PyBytes_FromStringAndSize(NULL, 0);
    return empty == NULL ? NULL : PyModule_Create(&definition);
}
