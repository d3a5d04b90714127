/* The end of what was sent to the provider, as mu-law: bridge/session/kept_audio.py says what for.

   A ring that grows to what it may hold and no further. */
#include "core.h"

#define FIRST_ROOM 4096

struct KeptAudio {
    PyObject_HEAD
    uint8_t *ring;
    size_t room, start, size;
    size_t limit;  /* bytes, one a sample */
};

/* A ring of `room` bytes with the newest that fit of what there is. */
static int resize(KeptAudio *self, size_t room)
{
    uint8_t *ring = room > 0 ? PyMem_Malloc(room) : NULL;
    if (ring == NULL && room > 0)
        return -1;
    size_t size = self->size < room ? self->size : room, lost = self->size - size;
    for (size_t n = 0; n < size; n++)
        ring[n] = self->ring[(self->start + lost + n) % self->room];
    PyMem_Free(self->ring);
    self->ring = ring;
    self->room = room;
    self->start = 0;
    self->size = size;
    return 0;
}

static int make_room(KeptAudio *self, size_t wanted)
{
    size_t room = self->room > FIRST_ROOM ? self->room : FIRST_ROOM;
    while (room < wanted)
        room *= 2;
    room = room < self->limit ? room : self->limit;
    return room > self->room ? resize(self, room) : 0;
}

int kept_add(KeptAudio *self, const uint8_t *l16, size_t samples)
{
    if (samples > self->limit) {
        l16 += 2 * (samples - self->limit);
        samples = self->limit;
    }
    if (samples == 0)
        return 0;
    if (make_room(self, self->size + samples) < 0)
        return -1;
    size_t at = (self->start + self->size) % self->room;
    for (size_t n = 0; n < samples; n++) {
        self->ring[at] = ulaw_codes[(uint16_t)sample_at(l16, n) >> 2];
        at = at + 1 < self->room ? at + 1 : 0;
    }
    self->size += samples;
    if (self->size > self->room) {
        self->start = at;
        self->size = self->room;
    }
    return 0;
}

/* --- the Python object --------------------------------------------------------------------- */

static PyObject *kept_add_py(PyObject *object, PyObject *arg)
{
    const uint8_t *l16;
    size_t samples;
    if (whole_samples(arg, &l16, &samples) < 0)
        return NULL;
    if (kept_add((KeptAudio *)object, l16, samples) < 0)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *kept_take(PyObject *object, PyObject *unused)
{
    (void)unused;
    KeptAudio *self = (KeptAudio *)object;
    PyObject *taken = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)self->size);
    if (taken == NULL)
        return NULL;
    uint8_t *out = (uint8_t *)PyBytes_AsString(taken);
    for (size_t n = 0; n < self->size; n++)
        out[n] = self->ring[(self->start + n) % self->room];
    self->start = self->size = 0;
    return taken;
}

static PyObject *kept_forget(PyObject *object, PyObject *unused)
{
    (void)unused;
    KeptAudio *self = (KeptAudio *)object;
    self->start = self->size = 0;
    Py_RETURN_NONE;
}

static PyObject *kept_hold(PyObject *object, PyObject *arg)
{
    KeptAudio *self = (KeptAudio *)object;
    Py_ssize_t limit = PyLong_AsSsize_t(arg);
    if (limit == -1 && PyErr_Occurred())
        return NULL;
    if (limit < 0 || limit > MAX_BYTES)
        return PyErr_Format(PyExc_ValueError, "%zd samples cannot be kept", limit);
    self->limit = (size_t)limit;
    if (self->room > self->limit && resize(self, self->limit) < 0)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static Py_ssize_t kept_length(PyObject *object)
{
    return (Py_ssize_t)((KeptAudio *)object)->size;
}

static PyObject *kept_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_Size(args) != 0 || (kwargs != NULL && PyDict_Size(kwargs) != 0))
        return PyErr_Format(PyExc_TypeError, "KeptAudio takes no arguments");
    return new_object(type);
}

static void kept_dealloc(PyObject *object)
{
    PyMem_Free(((KeptAudio *)object)->ring);
    free_object(object);
}

static PyMethodDef methods[] = {
    {"add", kept_add_py, METH_O, "L16 was sent."},
    {"take", kept_take, METH_NOARGS, "All there is, mu-law, the oldest first; forget it."},
    {"forget", kept_forget, METH_NOARGS, "Nobody needs it any more."},
    {"hold", kept_hold, METH_O, "Keep at most so many samples from now on."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What a provider was sent last: KeptAudio(). Holds nothing until it is told to."},
    {Py_tp_new, kept_new},
    {Py_tp_dealloc, kept_dealloc},
    {Py_tp_methods, methods},
    {Py_sq_length, kept_length},
    {0, NULL},
};

static PyType_Spec spec = {
    "voice_ai_switch_core.KeptAudio", sizeof(KeptAudio), 0, Py_TPFLAGS_DEFAULT, slots,
};

PyObject *kept_audio_type(void)
{
    return PyType_FromSpec(&spec);
}
