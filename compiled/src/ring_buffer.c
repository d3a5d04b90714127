/* The queue of audio before a caller's ear: bridge/audio/ring_buffer.py says what it is.

   Chunks are held as the objects they came as, and never moved; what is read is copied once. */
#include "core.h"

#define FIRST_ROOM 8
#define MERGE_BELOW 512

/* Chunks, first in, first out. */
typedef struct {
    PyObject **items;
    size_t room, start, count;
} Chunks;

typedef struct {
    PyObject_HEAD
    Py_ssize_t limit, keep, depth;
    int as_ulaw;
    PyObject *head;  /* being read; NULL: nothing was yet */
    Py_ssize_t offset;
    Chunks chunks;  /* behind the head */
    Chunks past;    /* read to their end, before the head */
    Py_ssize_t past_bytes;
} RingBuffer;

static Py_ssize_t size_of(PyObject *chunk)
{
    return chunk == NULL ? 0 : PyBytes_Size(chunk);
}

static PyObject **nth(const Chunks *self, size_t index)
{
    return &self->items[(self->start + index) % self->room];
}

/* Takes the reference over; -1 where there is no memory. */
static int push(Chunks *self, PyObject *chunk)
{
    if (self->count == self->room) {
        size_t room = self->room > 0 ? 2 * self->room : FIRST_ROOM;
        PyObject **items = PyMem_Malloc(room * sizeof *items);
        if (items == NULL) {
            Py_DECREF(chunk);
            PyErr_NoMemory();
            return -1;
        }
        for (size_t n = 0; n < self->count; n++)
            items[n] = *nth(self, n);
        PyMem_Free(self->items);
        self->items = items;
        self->room = room;
        self->start = 0;
    }
    self->count++;
    *nth(self, self->count - 1) = chunk;
    return 0;
}

/* Gives the reference away. */
static PyObject *pop(Chunks *self)
{
    PyObject *chunk = *nth(self, 0);
    self->start = (self->start + 1) % self->room;
    self->count--;
    return chunk;
}

static void drop(Chunks *self)
{
    while (self->count > 0)
        Py_DECREF(pop(self));
    PyMem_Free(self->items);
    self->items = NULL;
    self->room = self->start = 0;
}

/* What was read of the head becomes past, and the next chunk the head. */
static int next_chunk(RingBuffer *self)
{
    PyObject *head = self->head;
    if (head != NULL) {
        self->head = NULL;
        if (self->as_ulaw) {
            PyObject *linear = head;
            head = ulaw_of(linear);
            Py_DECREF(linear);
            if (head == NULL)
                return -1;
        }
        self->past_bytes += size_of(head);
        if (push(&self->past, head) < 0)
            return -1;
        while (self->past.count > 0
               && self->past_bytes - size_of(*nth(&self->past, 0)) >= self->keep) {
            PyObject *oldest = pop(&self->past);
            self->past_bytes -= size_of(oldest);
            Py_DECREF(oldest);
        }
    }
    self->head = pop(&self->chunks);
    self->offset = 0;
    return 0;
}

static int grown(PyObject **last, const char *data, Py_ssize_t size)
{
    Py_ssize_t before = size_of(*last);
    PyObject *both = PyBytes_FromStringAndSize(NULL, before + size);
    if (both == NULL)
        return -1;
    char *out = PyBytes_AsString(both);
    memcpy(out, PyBytes_AsString(*last), (size_t)before);
    memcpy(out + before, data, (size_t)size);
    Py_DECREF(*last);
    *last = both;
    return 0;
}

/* --- the Python object --------------------------------------------------------------------- */

static PyObject *ring_write(PyObject *object, PyObject *arg)
{
    RingBuffer *self = (RingBuffer *)object;
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(arg, &data, &size) < 0)
        return NULL;
    if (self->as_ulaw && size % 2)
        return PyErr_Format(PyExc_ValueError, "%zd bytes are no piece of L16", size);
    Py_ssize_t room = self->limit > self->depth ? self->limit - self->depth : 0;
    Py_ssize_t taken = size < room ? size : room;
    size_t count = self->chunks.count;
    PyObject **last = count > 0 ? nth(&self->chunks, count - 1) : NULL;
    if (taken > 0 && last != NULL && size_of(*last) < MERGE_BELOW) {
        if (grown(last, data, taken) < 0)
            return NULL;
    } else if (taken > 0) {
        PyObject *chunk = taken == size ? Py_NewRef(arg) : PyBytes_FromStringAndSize(data, taken);
        if (chunk == NULL || push(&self->chunks, chunk) < 0)
            return NULL;
    }
    self->depth += taken;
    return PyLong_FromSsize_t(size - taken);
}

static int wanted(PyObject *arg, Py_ssize_t *count)
{
    *count = PyLong_AsSsize_t(arg);
    if (*count == -1 && PyErr_Occurred())
        return -1;
    if (*count < 0) {
        PyErr_Format(PyExc_ValueError, "%zd bytes cannot be read", *count);
        return -1;
    }
    return 0;
}

static PyObject *ring_read(PyObject *object, PyObject *arg)
{
    RingBuffer *self = (RingBuffer *)object;
    Py_ssize_t count;
    if (wanted(arg, &count) < 0)
        return NULL;
    count = count < self->depth ? count : self->depth;
    PyObject *read = PyBytes_FromStringAndSize(NULL, count);
    if (read == NULL)
        return NULL;
    char *out = PyBytes_AsString(read);
    while (count > 0) {
        Py_ssize_t left = size_of(self->head) - self->offset;
        if (left == 0) {
            if (next_chunk(self) < 0) {
                Py_DECREF(read);
                return NULL;
            }
            continue;
        }
        Py_ssize_t part = left < count ? left : count;
        memcpy(out, PyBytes_AsString(self->head) + self->offset, (size_t)part);
        out += part;
        count -= part;
        self->offset += part;
        self->depth -= part;
    }
    return read;
}

static PyObject *ring_peek(PyObject *object, PyObject *arg)
{
    RingBuffer *self = (RingBuffer *)object;
    Py_ssize_t count;
    if (wanted(arg, &count) < 0)
        return NULL;
    count = count < self->depth ? count : self->depth;
    PyObject *found = PyBytes_FromStringAndSize(NULL, count);
    if (found == NULL)
        return NULL;
    char *out = PyBytes_AsString(found);
    PyObject *chunk = self->head;
    Py_ssize_t at = self->offset;
    for (size_t next = 0; count > 0; next++) {
        Py_ssize_t left = size_of(chunk) - at, part = left < count ? left : count;
        if (part > 0)
            memcpy(out, PyBytes_AsString(chunk) + at, (size_t)part);
        out += part;
        count -= part;
        if (count > 0)
            chunk = *nth(&self->chunks, next);
        at = 0;
    }
    return found;
}

/* The last `count` bytes that were read, and behind them `rest` of the head. */
static PyObject *lately(RingBuffer *self, Py_ssize_t count, Py_ssize_t rest)
{
    Py_ssize_t width = self->as_ulaw ? 2 : 1, kept = width * self->past_bytes + self->offset;
    Py_ssize_t skip = count < kept ? kept - count : 0;
    PyObject *found = PyBytes_FromStringAndSize(NULL, kept - skip + rest);
    if (found == NULL)
        return NULL;
    char *out = PyBytes_AsString(found);
    for (size_t n = 0; n < self->past.count; n++) {
        PyObject *chunk = *nth(&self->past, n);
        Py_ssize_t size = width * size_of(chunk), from = skip < size ? skip : size;
        skip -= from;
        if (self->as_ulaw)
            linear_of_ulaw(PyBytes_AsString(chunk), from, size, out);
        else
            memcpy(out, PyBytes_AsString(chunk) + from, (size_t)(size - from));
        out += size - from;
    }
    Py_ssize_t end = self->offset + rest;
    if (end > skip)
        memcpy(out, PyBytes_AsString(self->head) + skip, (size_t)(end - skip));
    return found;
}

static PyObject *ring_lately(PyObject *object, PyObject *arg)
{
    Py_ssize_t count;
    return wanted(arg, &count) < 0 ? NULL : lately((RingBuffer *)object, count, 0);
}

static void forget_past(RingBuffer *self)
{
    drop(&self->past);
    self->past_bytes = 0;
}

/* The head, and with it all that was read of it, is this now. */
static void begin_with(RingBuffer *self, PyObject *head)
{
    forget_past(self);
    Py_XDECREF(self->head);
    self->head = head;
    self->offset = 0;
}

static PyObject *ring_take_back(PyObject *object, PyObject *arg)
{
    RingBuffer *self = (RingBuffer *)object;
    Py_ssize_t count, rest = size_of(self->head) - self->offset;
    if (wanted(arg, &count) < 0)
        return NULL;
    PyObject *head = lately(self, count, rest);
    if (head == NULL)
        return NULL;
    Py_ssize_t back = size_of(head) - rest;
    begin_with(self, head);
    self->depth += back;
    return PyLong_FromSsize_t(back);
}

static PyObject *ring_forget(PyObject *object, PyObject *unused)
{
    (void)unused;
    RingBuffer *self = (RingBuffer *)object;
    PyObject *head = lately(self, 0, size_of(self->head) - self->offset);
    if (head == NULL)
        return NULL;
    begin_with(self, head);
    Py_RETURN_NONE;
}

static PyObject *ring_clear(PyObject *object, PyObject *unused)
{
    (void)unused;
    RingBuffer *self = (RingBuffer *)object;
    Py_ssize_t cleared = self->depth;
    self->depth = 0;
    drop(&self->chunks);
    begin_with(self, NULL);
    return PyLong_FromSsize_t(cleared);
}

static PyObject *ring_depth(PyObject *object, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(((RingBuffer *)object)->depth);
}

static Py_ssize_t ring_length(PyObject *object)
{
    return ((RingBuffer *)object)->depth;
}

static PyObject *ring_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t limit, keep;
    int as_ulaw;
    static char *names[] = {"limit", "keep", "as_ulaw", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "nnp", names, &limit, &keep, &as_ulaw))
        return NULL;
    if (limit < 0 || limit > MAX_BYTES || keep < 0 || keep > MAX_BYTES)
        return PyErr_Format(PyExc_ValueError, "no queue of %zd bytes that keeps %zd", limit, keep);
    RingBuffer *self = new_object(type);
    if (self != NULL) {
        self->limit = limit;
        self->keep = as_ulaw ? keep / 2 : keep;
        self->as_ulaw = as_ulaw;
    }
    return (PyObject *)self;
}

static void ring_dealloc(PyObject *object)
{
    RingBuffer *self = (RingBuffer *)object;
    Py_XDECREF(self->head);
    drop(&self->chunks);
    drop(&self->past);
    free_object(object);
}

static PyMethodDef methods[] = {
    {"write", ring_write, METH_O, "Append bytes; how many at their end did not fit."},
    {"read", ring_read, METH_O, "Remove and return up to so many bytes."},
    {"peek", ring_peek, METH_O, "Up to so many bytes that `read` would return."},
    {"lately", ring_lately, METH_O, "The last so many bytes that were read, if they are kept."},
    {"take_back", ring_take_back, METH_O, "Have the last so many bytes read once more."},
    {"forget", ring_forget, METH_NOARGS, "Nothing of what was read is wanted any more."},
    {"clear", ring_clear, METH_NOARGS, "Discard everything; how many bytes that was."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"depth", ring_depth, NULL, "Bytes in it.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Audio that waits: RingBuffer(limit, keep, as_ulaw)."},
    {Py_tp_new, ring_new},
    {Py_tp_dealloc, ring_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_sq_length, ring_length},
    {0, NULL},
};

static PyType_Spec spec = {
    "voice_ai_switch_core.RingBuffer", sizeof(RingBuffer), 0, Py_TPFLAGS_DEFAULT, slots,
};

PyObject *ring_buffer_type(void)
{
    return PyType_FromSpec(&spec);
}
