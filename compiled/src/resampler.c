/* Streaming sample-rate conversion by one fixed-length polyphase FIR.

   The filter of a pair runs at the rates' lowest common multiple: `up` times the input's rate. Of
   its taps, output m meets those that fall on input samples: every `up`th, from its phase on. Each
   output is one dot product of as many samples, always summed in the same order, so that it does
   not matter where the signal is cut. Samples are 16 bits wide, taps and sums 32-bit floats: the
   error of the arithmetic lies 30 dB below the rounding to 16 bits. */
#include "core.h"

#include <math.h>
#include <stdlib.h>

#include "taps.h"

#define LANES 8  /* taps that are summed side by side, in two vectors */
#define MAX_TAPS 152
#define MAX_PHASES 3
#define BLOCK 1024  /* samples converted at a time: the work fits the stack whatever comes in */

typedef struct {
    int rate_in_hz, rate_out_hz;
    int up, down;
    int reach;  /* input samples on either side of an output; the delay */
    int taps;   /* of one phase, LANES of them at a time */
    const float *half;
    int half_length;
    float phases[MAX_PHASES][MAX_TAPS];
} Filter;

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static Filter filters[] = {
    {8000, 16000, 2, 1, 24, 56, TAPS_8_16, LENGTH(TAPS_8_16), {{0}}},
    {16000, 8000, 1, 2, 48, 104, TAPS_8_16, LENGTH(TAPS_8_16), {{0}}},
    {8000, 24000, 3, 1, 24, 56, TAPS_8_24, LENGTH(TAPS_8_24), {{0}}},
    {24000, 8000, 1, 3, 72, 152, TAPS_8_24, LENGTH(TAPS_8_24), {{0}}},
    {16000, 24000, 3, 2, 24, 56, TAPS_16_24, LENGTH(TAPS_16_24), {{0}}},
    {24000, 16000, 2, 3, 36, 80, TAPS_16_24, LENGTH(TAPS_16_24), {{0}}},
};

struct Resampler {
    PyObject_HEAD
    const Filter *filter;
    int phase;
    int kept_count;
    uint64_t taken, given;  /* samples of this signal, in and out */
    float kept[MAX_TAPS];   /* what outputs to come still need */
};

/* --- filters ------------------------------------------------------------------------------- */

/* Tap t of a phase meets the sample `reach - (taps - 1 - t)` places behind the output's own; what
   lies further back than `reach` is padding. */
static float tap_of(const Filter *filter, int phase, int t)
{
    int behind = t - (filter->taps - 1 - filter->reach);
    int place = abs(phase - behind * filter->up);
    return place < filter->half_length ? filter->half[place] * (float)filter->up : 0.0f;
}

static void lay_out(Filter *filter)
{
    for (int phase = 0; phase < filter->up; phase++)
        for (int t = 0; t < filter->taps; t++)
            filter->phases[phase][t] = tap_of(filter, phase, t);
}

static const Filter *filter_for(int rate_in_hz, int rate_out_hz)
{
    for (int n = 0; n < LENGTH(filters); n++)
        if (filters[n].rate_in_hz == rate_in_hz && filters[n].rate_out_hz == rate_out_hz)
            return &filters[n];
    return NULL;
}

/* --- arithmetic ---------------------------------------------------------------------------- */

/* GCC's and Clang's vectors: SSE on x86-64, NEON on arm64, and no intrinsics of either. */
typedef float Four __attribute__((vector_size(16)));

static inline Four four_at(const float *values)
{
    Four four;
    memcpy(&four, values, sizeof four);
    return four;
}

static inline float dot(const float *samples, const float *taps, int count)
{
    Four low = {0}, high = {0};
    for (int t = 0; t < count; t += LANES) {
        low += four_at(samples + t) * four_at(taps + t);
        high += four_at(samples + t + 4) * four_at(taps + t + 4);
    }
    low += high;
    return (low[0] + low[1]) + (low[2] + low[3]);
}

/* The counts that occur, spelled out: each of them becomes one straight run of instructions. */
static float dot_of(const float *samples, const float *taps, int count)
{
    switch (count) {
    case 56:
        return dot(samples, taps, 56);
    case 80:
        return dot(samples, taps, 80);
    default:
        return dot(samples, taps, count);
    }
}

static int16_t to_16_bits(float value)
{
    value = value < 32767.0f ? value : 32767.0f;
    value = value > -32768.0f ? value : -32768.0f;
    return (int16_t)lrintf(value);
}

static void begin_signal(Resampler *self)
{
    /* Silence lies before the signal. */
    self->kept_count = self->filter->taps - 1 - self->filter->reach;
    memset(self->kept, 0, sizeof self->kept);
    self->phase = 0;
    self->taken = self->given = 0;
}

size_t resampler_ready(const Resampler *self, size_t count)
{
    const Filter *filter = self->filter;
    size_t have = (size_t)self->kept_count + count;
    if (have < (size_t)filter->taps)
        return 0;
    size_t room = (have - filter->taps) * filter->up + (filter->up - 1) - self->phase;
    return room / filter->down + 1;
}

/* Outputs of at most BLOCK samples in `work`, behind those that were kept. Returns how many. */
static size_t run_block(Resampler *self, float *work, int have, uint8_t *out)
{
    const Filter *filter = self->filter;
    int start = 0, phase = self->phase;
    size_t made = 0;
    while (start + filter->taps <= have) {
        int16_t sample = to_16_bits(dot_of(work + start, filter->phases[phase], filter->taps));
        memcpy(out + 2 * made++, &sample, 2);
        for (phase += filter->down; phase >= filter->up; phase -= filter->up)
            start++;
    }
    self->phase = phase;
    self->kept_count = have - start;  /* fewer than `taps`: they go on from the next start */
    memcpy(self->kept, work + start, sizeof(float) * self->kept_count);
    return made;
}

void resampler_run(Resampler *self, const uint8_t *l16, size_t count, uint8_t *out)
{
    float work[MAX_TAPS + BLOCK];
    self->taken += count;
    while (count > 0) {
        int piece = count < BLOCK ? (int)count : BLOCK;
        memcpy(work, self->kept, sizeof(float) * self->kept_count);
        for (int n = 0; n < piece; n++)
            work[self->kept_count + n] = sample_at(l16, n);
        size_t made = run_block(self, work, self->kept_count + piece, out);
        self->given += made;
        out += 2 * made;
        l16 += 2 * piece;
        count -= piece;
    }
}

/* --- the Python object --------------------------------------------------------------------- */

static PyObject *resampler_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int rate_in_hz, rate_out_hz;
    if (kwargs != NULL && PyDict_Size(kwargs) != 0) {
        PyErr_SetString(PyExc_TypeError, "Resampler takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "ii:Resampler", &rate_in_hz, &rate_out_hz))
        return NULL;
    const Filter *filter = filter_for(rate_in_hz, rate_out_hz);
    if (filter == NULL)
        return PyErr_Format(PyExc_ValueError, "no filter from %d to %d Hz", rate_in_hz, rate_out_hz);
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Resampler *self = (Resampler *)allocate(type, 0);
    if (self == NULL)
        return NULL;
    self->filter = filter;
    begin_signal(self);
    return (PyObject *)self;
}

static PyObject *resampler_process(PyObject *object, PyObject *data)
{
    Resampler *self = (Resampler *)object;
    const uint8_t *l16;
    size_t count;
    if (whole_samples(data, &l16, &count) < 0)
        return NULL;
    PyObject *out = PyBytes_FromStringAndSize(NULL, 2 * (Py_ssize_t)resampler_ready(self, count));
    if (out != NULL)
        resampler_run(self, l16, count, (uint8_t *)PyBytes_AsString(out));
    return out;
}

static PyObject *resampler_clear(PyObject *object, PyObject *unused)
{
    (void)unused;
    begin_signal((Resampler *)object);
    Py_RETURN_NONE;
}

/* Silence behind the signal brings its last outputs out; there are as many in all as it had
   samples, times the rates' ratio, a half rounded up. */
static PyObject *resampler_flush(PyObject *object, PyObject *unused)
{
    static const uint8_t silence[2 * (MAX_TAPS + 1)];
    (void)unused;
    Resampler *self = (Resampler *)object;
    const Filter *filter = self->filter;
    uint64_t due = (2 * self->taken * filter->up + filter->down) / (2 * (uint64_t)filter->down);
    size_t missing = (size_t)(due - self->given);
    uint8_t tail[2 * MAX_PHASES * (MAX_TAPS + 2)];
    resampler_run(self, silence, filter->reach + 1, tail);
    begin_signal(self);
    return PyBytes_FromStringAndSize((const char *)tail, 2 * (Py_ssize_t)missing);
}

static PyMethodDef methods[] = {
    {"process", resampler_process, METH_O, "Convert whole samples; return the output that is ready."},
    {"flush", resampler_flush, METH_NOARGS, "Return the rest of the output and begin a new signal."},
    {"clear", resampler_clear, METH_NOARGS, "Drop the rest of the output and begin a new signal."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "L16 mono from one rate to another: Resampler(rate_in_hz, rate_out_hz)."},
    {Py_tp_new, resampler_new},
    {Py_tp_dealloc, free_object},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    "voice_ai_switch_core.Resampler", sizeof(Resampler), 0, Py_TPFLAGS_DEFAULT, slots,
};

PyObject *resampler_type(void)
{
    for (int n = 0; n < LENGTH(filters); n++)
        lay_out(&filters[n]);
    return PyType_FromSpec(&spec);
}
