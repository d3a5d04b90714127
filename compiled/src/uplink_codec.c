/* The caller's way to the provider: from bytes that were read to audio, which is listened to, and to
   the bytes of one WebSocket message. Where a voice begins or ends, Python decides what comes next.

   Only what is plain is taken: a read that is nothing but whole, final, masked BINARY frames
   (RFC 6455 section 5.2). Anything else is None, and goes to the frame parser as it came. */
#include "core.h"

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
    PyObject *activity, *levels, *kept;
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

#define STACK_SAMPLES 2048  /* 42 ms at 48 kHz; more of them at a time are rare */

/* The message's frame, and how many bytes of audio are in it. */
static PyObject *wrapped(UplinkCodec *self, const uint8_t *l16, size_t samples, const uint8_t *key,
                         size_t *converted)
{
    uint8_t stack[2 * STACK_SAMPLES];
    *converted = converted_bytes(self, samples);
    size_t room = self->table != NULL ? 2 * *converted : *converted;
    uint8_t *audio = room <= sizeof stack ? stack : PyMem_Malloc(room);
    if (audio == NULL)
        return PyErr_NoMemory();
    convert(self, l16, samples, audio);
    PyObject *frame = *converted == 0 ? PyBytes_FromStringAndSize(NULL, 0)
                                      : build_frame(self, audio, *converted, key);
    if (audio != stack)
        PyMem_Free(audio);
    return frame;
}

static int mask_key(PyObject *given, const uint8_t **key)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(given, &bytes, &size) < 0)
        return -1;
    if (size != KEY_BYTES) {
        PyErr_Format(PyExc_ValueError, "a mask key has four bytes");
        return -1;
    }
    *key = (const uint8_t *)bytes;
    return 0;
}

typedef struct {
    double now;
    long frames;
    size_t bytes;
    const uint8_t *key;
    int silent;  /* nobody is to hear it */
} Read;

/* Listens to what was read, and makes its message unless somebody has to be told first. */
static PyObject *taken(UplinkCodec *self, uint8_t *l16, Read read)
{
    size_t samples = read.bytes / 2, converted;
    double rms = (double)rms_of(l16, samples), now = read.now;
    EchoLevels *levels = (EchoLevels *)self->levels;
    int echo = echo_heard(levels, rms, now);
    if (activity_hear((VoiceActivity *)self->activity, l16, samples, rms, echo_expected(levels)))
        return Py_BuildValue("(lny#iy#O)", read.frames, (Py_ssize_t)read.bytes, "", (Py_ssize_t)0, 0,
                             l16, (Py_ssize_t)read.bytes, echo ? Py_True : Py_False);
    if (kept_add((KeptAudio *)self->kept, l16, samples) < 0)
        return PyErr_NoMemory();
    if (echo || read.silent)
        memset(l16, 0, read.bytes);
    PyObject *frame = wrapped(self, l16, samples, read.key, &converted);
    if (frame == NULL)
        return NULL;
    return Py_BuildValue("(lnNnOO)", read.frames, (Py_ssize_t)read.bytes, frame,
                         (Py_ssize_t)converted, Py_None, echo ? Py_True : Py_False);
}

static PyObject *codec_take(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    char *data;
    Py_ssize_t size;
    Read read = {0};
    if (count != 4)
        return PyErr_Format(PyExc_TypeError, "take takes a read, a moment, `silent` and a mask key");
    if (PyBytes_AsStringAndSize(args[0], &data, &size) < 0 || mask_key(args[3], &read.key) < 0)
        return NULL;
    read.now = PyFloat_AsDouble(args[1]);
    read.silent = PyObject_IsTrue(args[2]);
    if (PyErr_Occurred() || !is_moment(read.now))
        return NULL;
    read.bytes = plain_bytes((const uint8_t *)data, (size_t)size, &read.frames);
    if (read.bytes == 0)
        Py_RETURN_NONE;
    uint8_t stack[2 * STACK_SAMPLES];
    uint8_t *l16 = read.bytes <= sizeof stack ? stack : PyMem_Malloc(read.bytes);
    if (l16 == NULL)
        return PyErr_NoMemory();
    unmask_all((const uint8_t *)data, (size_t)size, l16);
    PyObject *result = taken((UplinkCodec *)object, l16, read);
    if (l16 != stack)
        PyMem_Free(l16);
    return result;
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

/* Whether it is of one of the core's own types. */
static int is_ours(PyObject *given, const char *name)
{
    PyObject *type = core_type(name);
    int ours = type != NULL && PyObject_TypeCheck(given, (PyTypeObject *)type);
    Py_XDECREF(type);
    return ours;
}

static int take_ours(PyObject *given, const char *name, PyObject **kept)
{
    int fits = is_ours(given, name);
    return PyErr_Occurred() ? -1 : take(given, fits, name, kept);
}

static int take_all(UplinkCodec *self, PyObject *args)
{
    PyObject *resampler, *table, *head, *tail, *activity, *levels, *kept;
    int opcode;
    if (!PyArg_ParseTuple(args, "OOSSipOOO:UplinkCodec", &resampler, &table, &head, &tail, &opcode,
                          &self->base64, &activity, &levels, &kept))
        return -1;
    if (PyBytes_Size(head) > MAX_BYTES || PyBytes_Size(tail) > MAX_BYTES) {
        PyErr_Format(PyExc_ValueError, "UplinkCodec: too large");
        return -1;
    }
    self->first = (uint8_t)(FINAL | (opcode & 0x0f));
    if (take_ours(resampler, "Resampler", &self->resampler) < 0
        || take(table, is_table(table), "table", &self->table) < 0
        || take(head, 1, "head", &self->head) < 0 || take(tail, 1, "tail", &self->tail) < 0
        || take_ours(activity, "VoiceActivity", &self->activity) < 0
        || take_ours(levels, "EchoLevels", &self->levels) < 0
        || take_ours(kept, "KeptAudio", &self->kept) < 0)
        return -1;
    if (self->activity != NULL && self->levels != NULL && self->kept != NULL)
        return 0;
    PyErr_Format(PyExc_TypeError, "UplinkCodec: nobody would hear it");
    return -1;
}

static PyObject *codec_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (kwargs != NULL && PyDict_Size(kwargs) != 0)
        return PyErr_Format(PyExc_TypeError, "UplinkCodec takes no keywords");
    UplinkCodec *self = new_object(type);
    if (self != NULL && take_all(self, args) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void codec_dealloc(PyObject *object)
{
    UplinkCodec *self = (UplinkCodec *)object;
    PyObject *held[] = {self->resampler, self->table, self->head, self->tail,
                        self->activity, self->levels, self->kept};
    for (size_t n = 0; n < sizeof held / sizeof held[0]; n++)
        Py_XDECREF(held[n]);
    free_object(object);
}

static PyMethodDef methods[] = {
    {"take", (PyCFunction)(void (*)(void))codec_take, METH_FASTCALL,
     "A read, a moment, `silent`, a mask key: (frames, bytes, client frame, bytes of audio in it, L16\n"
     "where a voice began or ended, else None, only echo); None where the read is not plain."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "UplinkCodec(resampler, table, head, tail, opcode, base64, activity, levels, kept)."},
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
