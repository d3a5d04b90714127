/* The caller's way to the provider, two steps of it: from bytes that were read to audio, and from
   audio to the bytes of one WebSocket message. What happens between them is decided in Python.

   Only what is plain is taken: a read that is nothing but whole, final, masked BINARY frames
   (RFC 6455 section 5.2). Anything else is None, and goes to the frame parser as it came. */
#include "core.h"

#include <math.h>

#define BINARY_WHOLE 0x82
#define FINAL 0x80
#define MASKED 0x80
#define LENGTH_16 126
#define KEY_BYTES 4
#define MAX_HEAD (2 + 8 + KEY_BYTES)
#define TABLE_BYTES (1 << 14)  /* G.711 keeps nothing of a sample's lowest two bits */

typedef struct {
    PyObject_HEAD
    PyObject *resampler;  /* NULL where the rate stays as it is */
    PyObject *table;      /* G.711 code of each upper 14 bits of a sample; NULL for L16 */
    PyObject *head, *tail;
    PyObject *resampler_class;
    uint8_t first;        /* byte of the frames that are built: final, and its opcode */
    int base64;
} UplinkCodec;

typedef struct {
    const uint8_t *key, *payload;
    size_t length;
    size_t size;  /* of the whole frame; 0: this is no plain whole frame */
} Frame;

/* --- bytes --------------------------------------------------------------------------------- */

static void mask(uint8_t *out, const uint8_t *in, size_t length, const uint8_t *key)
{
    uint64_t wide;
    uint8_t twice[8];
    memcpy(twice, key, 4);
    memcpy(twice + 4, key, 4);
    memcpy(&wide, twice, 8);
    size_t at = 0;
    for (; at + 8 <= length; at += 8) {
        uint64_t eight;
        memcpy(&eight, in + at, 8);
        eight ^= wide;
        memcpy(out + at, &eight, 8);
    }
    for (; at < length; at++)
        out[at] = in[at] ^ key[at & 3];
}

static Frame plain_frame(const uint8_t *data, size_t size)
{
    Frame frame = {NULL, NULL, 0, 0};
    size_t head = 2;
    if (size < head + KEY_BYTES || data[0] != BINARY_WHOLE || !(data[1] & MASKED))
        return frame;
    size_t length = data[1] & 0x7f;
    if (length == LENGTH_16) {
        head = 4;
        length = (size_t)data[2] << 8 | data[3];
    } else if (length > LENGTH_16) {
        return frame;  /* longer than any read */
    }
    if (size < head + KEY_BYTES || size - head - KEY_BYTES < length)
        return frame;
    frame.key = data + head;
    frame.payload = frame.key + KEY_BYTES;
    frame.length = length;
    frame.size = head + KEY_BYTES + length;
    return frame;
}

/* Bytes of audio in a read of nothing but plain frames, and their number; 0: it is not. */
static size_t plain_bytes(const uint8_t *data, size_t size, long *frames)
{
    size_t total = 0;
    while (size > 0) {
        Frame frame = plain_frame(data, size);
        if (frame.size == 0)
            return 0;
        total += frame.length;
        data += frame.size;
        size -= frame.size;
        ++*frames;
    }
    return total & 1 ? 0 : total;  /* half a sample waits for its other half elsewhere */
}

static void unmask_all(const uint8_t *data, size_t size, uint8_t *out)
{
    while (size > 0) {
        Frame frame = plain_frame(data, size);
        mask(out, frame.payload, frame.length, frame.key);
        out += frame.length;
        data += frame.size;
        size -= frame.size;
    }
}

/* As `audioop.rms` has it: cut to a whole number. */
static long rms_of(const uint8_t *l16, size_t samples)
{
    uint64_t squares = 0;
    for (size_t n = 0; n < samples; n++) {
        int32_t sample = sample_at(l16, n);
        squares += (uint64_t)(uint32_t)(sample * sample);
    }
    return (long)sqrt((double)squares / (double)samples);
}

static size_t base64_bytes(size_t length) { return (length + 2) / 3 * 4; }

static uint8_t *put_base64(uint8_t *out, const uint8_t *in, size_t length)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    for (; at + 3 <= length; at += 3) {
        uint32_t three = (uint32_t)in[at] << 16 | (uint32_t)in[at + 1] << 8 | in[at + 2];
        *out++ = letters[three >> 18];
        *out++ = letters[three >> 12 & 63];
        *out++ = letters[three >> 6 & 63];
        *out++ = letters[three & 63];
    }
    if (at < length) {
        int two = at + 1 < length;
        uint32_t rest = (uint32_t)in[at] << 16 | (two ? (uint32_t)in[at + 1] << 8 : 0);
        *out++ = letters[rest >> 18];
        *out++ = letters[rest >> 12 & 63];
        *out++ = two ? letters[rest >> 6 & 63] : '=';
        *out++ = '=';
    }
    return out;
}

static size_t head_bytes(size_t length)
{
    return 2 + (length < 126 ? 0 : length < 0x10000 ? 2 : 8) + KEY_BYTES;
}

static uint8_t *put_head(uint8_t *out, uint8_t first, size_t length, const uint8_t *key)
{
    int extended = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
    *out++ = first;
    *out++ = MASKED | (uint8_t)(extended == 0 ? length : extended == 2 ? 126 : 127);
    for (int shift = 8 * (extended - 1); shift >= 0; shift -= 8)
        *out++ = (uint8_t)((uint64_t)length >> shift);
    memcpy(out, key, KEY_BYTES);
    return out + KEY_BYTES;
}

/* --- audio to a message -------------------------------------------------------------------- */

static size_t converted_bytes(const UplinkCodec *self, size_t samples)
{
    if (self->resampler != NULL)
        samples = resampler_ready((Resampler *)self->resampler, samples);
    return self->table != NULL ? samples : 2 * samples;
}

/* Writes `converted_bytes`; `out` has room for 16 bits of each sample. */
static void convert(UplinkCodec *self, const uint8_t *l16, size_t samples, uint8_t *out)
{
    if (self->resampler != NULL) {
        size_t ready = resampler_ready((Resampler *)self->resampler, samples);
        resampler_run((Resampler *)self->resampler, l16, samples, out);
        l16 = out;
        samples = ready;
    }
    if (self->table == NULL) {
        if (l16 != out)
            memcpy(out, l16, 2 * samples);
        return;
    }
    const uint8_t *codes = (const uint8_t *)PyBytes_AsString(self->table);
    for (size_t n = 0; n < samples; n++)  /* a code never lies behind the sample it is made of */
        out[n] = codes[(uint16_t)sample_at(l16, n) >> 2];
}

static size_t payload_bytes(const UplinkCodec *self, size_t converted)
{
    size_t ends = (size_t)(PyBytes_Size(self->head) + PyBytes_Size(self->tail));
    return ends + (self->base64 ? base64_bytes(converted) : converted);
}

/* The payload as it is before masking. */
static void put_payload(const UplinkCodec *self, const uint8_t *audio, size_t length, uint8_t *out)
{
    size_t head = (size_t)PyBytes_Size(self->head), tail = (size_t)PyBytes_Size(self->tail);
    memcpy(out, PyBytes_AsString(self->head), head);
    out += head;
    if (self->base64) {
        out = put_base64(out, audio, length);
    } else {
        memcpy(out, audio, length);
        out += length;
    }
    memcpy(out, PyBytes_AsString(self->tail), tail);
}

static PyObject *build_frame(
    const UplinkCodec *self, const uint8_t *audio, size_t length, const uint8_t *key)
{
    size_t payload = payload_bytes(self, length);
    PyObject *frame = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(head_bytes(payload) + payload));
    if (frame == NULL)
        return NULL;
    uint8_t *body = put_head((uint8_t *)PyBytes_AsString(frame), self->first, payload, key);
    put_payload(self, audio, length, body);
    mask(body, body, payload, key);
    return frame;
}

/* --- the Python object --------------------------------------------------------------------- */

static PyObject *codec_feed(PyObject *object, PyObject *arg)
{
    (void)object;
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(arg, &data, &size) < 0)
        return NULL;
    long frames = 0;
    size_t total = plain_bytes((const uint8_t *)data, (size_t)size, &frames);
    if (total == 0)
        Py_RETURN_NONE;
    PyObject *audio = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)total);
    if (audio == NULL)
        return NULL;
    uint8_t *l16 = (uint8_t *)PyBytes_AsString(audio);
    unmask_all((const uint8_t *)data, (size_t)size, l16);
    return Py_BuildValue("(Nll)", audio, rms_of(l16, total / 2), frames);
}

#define STACK_SAMPLES 2048  /* 42 ms at 48 kHz; more of them at a time are rare */

static PyObject *wrapped(UplinkCodec *self, const uint8_t *l16, size_t samples, const uint8_t *key)
{
    uint8_t stack[2 * STACK_SAMPLES];
    size_t converted = converted_bytes(self, samples);
    size_t room = self->table != NULL ? 2 * converted : converted;
    uint8_t *audio = room <= sizeof stack ? stack : PyMem_Malloc(room);
    if (audio == NULL)
        return PyErr_NoMemory();
    convert(self, l16, samples, audio);
    PyObject *frame = converted == 0 ? PyBytes_FromStringAndSize(NULL, 0)
                                     : build_frame(self, audio, converted, key);
    if (audio != stack)
        PyMem_Free(audio);
    return frame == NULL ? NULL : Py_BuildValue("(Nn)", frame, (Py_ssize_t)converted);
}

static PyObject *codec_frame(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    const uint8_t *l16;
    size_t samples;
    char *key;
    Py_ssize_t key_bytes;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "frame takes audio and a mask key");
    if (whole_samples(args[0], &l16, &samples) < 0)
        return NULL;
    if (PyBytes_AsStringAndSize(args[1], &key, &key_bytes) < 0)
        return NULL;
    if (key_bytes != KEY_BYTES)
        return PyErr_Format(PyExc_ValueError, "a mask key has four bytes");
    return wrapped((UplinkCodec *)object, l16, samples, (const uint8_t *)key);
}

/* None becomes NULL; anything but what `fits` is an error. */
static int take(PyObject *given, int fits, const char *what, PyObject **kept)
{
    if (given == Py_None)
        return 0;
    if (!fits) {
        PyErr_Format(PyExc_TypeError, "UplinkCodec: wrong %s", what);
        return -1;
    }
    Py_INCREF(given);
    *kept = given;
    return 0;
}

static int is_table(PyObject *given)
{
    return PyBytes_Check(given) && PyBytes_Size(given) == TABLE_BYTES;
}

static int is_resampler(const UplinkCodec *self, PyObject *given)
{
    return PyObject_TypeCheck(given, (PyTypeObject *)self->resampler_class);
}

static int find_resampler_class(UplinkCodec *self)
{
    PyObject *module = PyImport_ImportModule("voice_ai_switch_core");
    if (module == NULL)
        return -1;
    self->resampler_class = PyObject_GetAttrString(module, "Resampler");
    Py_DECREF(module);
    return self->resampler_class == NULL ? -1 : 0;
}

static PyObject *codec_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *resampler, *table, *head, *tail;
    int opcode, base64;
    if (kwargs != NULL && PyDict_Size(kwargs) != 0)
        return PyErr_Format(PyExc_TypeError, "UplinkCodec takes no keywords");
    if (!PyArg_ParseTuple(args, "OOSSip:UplinkCodec", &resampler, &table, &head, &tail, &opcode,
                          &base64))
        return NULL;
    if (PyBytes_Size(head) > MAX_BYTES || PyBytes_Size(tail) > MAX_BYTES)
        return PyErr_Format(PyExc_ValueError, "UplinkCodec: too large");
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    UplinkCodec *self = (UplinkCodec *)allocate(type, 0);
    if (self == NULL)
        return NULL;
    self->first = (uint8_t)(FINAL | (opcode & 0x0f));
    self->base64 = base64;
    if (find_resampler_class(self) < 0
        || take(resampler, is_resampler(self, resampler), "resampler", &self->resampler) < 0
        || take(table, is_table(table), "table", &self->table) < 0
        || take(head, 1, "head", &self->head) < 0 || take(tail, 1, "tail", &self->tail) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void codec_dealloc(PyObject *object)
{
    UplinkCodec *self = (UplinkCodec *)object;
    Py_XDECREF(self->resampler);
    Py_XDECREF(self->table);
    Py_XDECREF(self->head);
    Py_XDECREF(self->tail);
    Py_XDECREF(self->resampler_class);
    free_object(object);
}

static PyMethodDef methods[] = {
    {"feed", codec_feed, METH_O,
     "A read of nothing but plain audio: (L16, its level, frames); None for any other."},
    {"frame", (PyCFunction)(void (*)(void))codec_frame, METH_FASTCALL,
     "L16 and a mask key: (one client frame, bytes of audio in it); an empty frame is none."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "UplinkCodec(resampler, table, head, tail, opcode, base64)."},
    {Py_tp_new, codec_new},
    {Py_tp_dealloc, codec_dealloc},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    "voice_ai_switch_core.UplinkCodec", sizeof(UplinkCodec), 0, Py_TPFLAGS_DEFAULT, slots,
};

PyObject *uplink_codec_type(void)
{
    return PyType_FromSpec(&spec);
}
