/* The messages in one read of a provider's link. Twin: bridge/wire/whole_messages.py */
#include "core.h"

#define FIN_TEXT 0x81
#define FIN_BINARY 0x82
#define LENGTH_16 126

/* The payload of the frame at `*at`, and `*at` moved behind it; -1: it is no whole, final, unmasked
   data frame of less than 65,536 bytes. */
static int next_payload(const uint8_t *data, size_t size, size_t *at, size_t *body, size_t *length)
{
    size_t left = size - *at;
    const uint8_t *frame = data + *at;
    if (left < 2 || (frame[0] != FIN_TEXT && frame[0] != FIN_BINARY))
        return -1;
    size_t head = 2, payload = frame[1];
    if (payload == LENGTH_16) {
        if (left < 4)
            return -1;
        head = 4;
        payload = (size_t)frame[2] << 8 | frame[3];
    } else if (payload > LENGTH_16) {
        return -1;
    }
    if (left - head < payload)
        return -1;
    *body = *at + head;
    *length = payload;
    *at = *body + payload;
    return 0;
}

PyObject *whole_messages(PyObject *Py_UNUSED(module), PyObject *object)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(object, &bytes, &size) < 0)
        return NULL;
    const uint8_t *data = (const uint8_t *)bytes;
    size_t at = 0, end = (size_t)size, body = 0, length = 0;
    while (at < end)
        if (next_payload(data, end, &at, &body, &length) < 0)
            Py_RETURN_NONE;
    PyObject *found = PyList_New(0);
    if (found == NULL)
        return NULL;
    for (at = 0; at < end;) {
        next_payload(data, end, &at, &body, &length);
        PyObject *payload = PyBytes_FromStringAndSize(bytes + body, (Py_ssize_t)length);
        int failed = payload == NULL || PyList_Append(found, payload) < 0;
        Py_XDECREF(payload);
        if (failed) {
            Py_DECREF(found);
            return NULL;
        }
    }
    return found;
}
