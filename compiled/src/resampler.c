/* Streaming sample-rate conversion by one fixed-length polyphase FIR.

   The filter of a pair runs at the rates' lowest common multiple: `up` times the input's rate, and
   `down` times the output's. So `down` samples in are `up` samples out, a *period*, and each output
   of a period has its own taps: those of the filter that fall on input samples. All rows of taps lie
   in one window, padded with zeros, and each output is the dot product of its row and the window,
   always summed in the same order: it does not matter where the signal is cut. Samples are 16 bits
   wide, taps and sums 32-bit floats: the error of the arithmetic lies 30 dB below the rounding. */
#include "core.h"

#include <math.h>
#include <stdlib.h>

#include "taps.h"

#define LANES 8  /* taps that are summed side by side */
#define MAX_TAPS 152
#define MAX_ROWS 3
#define TAPS_OF_THREE 56  /* in each filter of three rows: a count the compiler can spell out */
#define BLOCK 1024  /* samples converted at a time: the work fits the stack whatever comes in */

typedef struct {
    int rate_in_hz, rate_out_hz;
    int up, down;
    int reach;  /* input samples on either side of an output; the delay */
    int taps;   /* of one row: 2 * reach + 1, and what a period's last output lies behind its first */
    const float *half;
    int half_length;
    float rows[MAX_ROWS][MAX_TAPS];
} Filter;

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static Filter filters[] = {
    {8000, 16000, 2, 1, 24, 56, TAPS_8_16, LENGTH(TAPS_8_16), {{0}}},
    {16000, 8000, 1, 2, 48, 104, TAPS_8_16, LENGTH(TAPS_8_16), {{0}}},
    {8000, 24000, 3, 1, 24, TAPS_OF_THREE, TAPS_8_24, LENGTH(TAPS_8_24), {{0}}},
    {24000, 8000, 1, 3, 72, 152, TAPS_8_24, LENGTH(TAPS_8_24), {{0}}},
    {16000, 24000, 3, 2, 24, TAPS_OF_THREE, TAPS_16_24, LENGTH(TAPS_16_24), {{0}}},
    {24000, 16000, 2, 3, 36, 80, TAPS_16_24, LENGTH(TAPS_16_24), {{0}}},
};

struct Resampler {
    PyObject_HEAD
    const Filter *filter;
    int kept_count;
    uint64_t taken, given;  /* samples of this signal, in and out */
    float kept[MAX_TAPS];   /* what outputs to come still need */
};

/* --- filters ------------------------------------------------------------------------------- */

/* Samples between the first output of a period and the last. */
static int spread(const Filter *filter)
{
    return (filter->up - 1) * filter->down / filter->up;
}

/* Samples of the window in front of a period's first output. */
static int lead(const Filter *filter)
{
    return filter->taps - 1 - spread(filter) - filter->reach;
}

static float tap_of(const Filter *filter, int row, int t)
{
    int place = abs(row * filter->down - (t - lead(filter)) * filter->up);
    return place < filter->half_length ? filter->half[place] * (float)filter->up : 0.0f;
}

static void lay_out(Filter *filter)
{
    for (int row = 0; row < filter->up; row++)
        for (int t = 0; t < filter->taps; t++)
            filter->rows[row][t] = tap_of(filter, row, t);
}

static const Filter *filter_for(int rate_in_hz, int rate_out_hz)
{
    for (int n = 0; n < LENGTH(filters); n++)
        if (filters[n].rate_in_hz == rate_in_hz && filters[n].rate_out_hz == rate_out_hz)
            return &filters[n];
    return NULL;
}

/* --- arithmetic ---------------------------------------------------------------------------- */

/* GCC's and Clang's vectors: AVX or SSE on x86-64, NEON on arm64, and no intrinsics of any. */
typedef float Eight __attribute__((vector_size(4 * LANES)));

/* Where the loader can choose, wider vectors are used if the processor has them. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) \
    && !defined(__SANITIZE_ADDRESS__)
#define WIDEST __attribute__((target_clones("fma", "default")))
#else
#define WIDEST
#endif
#define INLINE static inline __attribute__((always_inline))

INLINE Eight eight_at(const float *values)
{
    Eight eight;
    memcpy(&eight, values, sizeof eight);
    return eight;
}

INLINE float total(Eight of)
{
    return ((of[0] + of[4]) + (of[1] + of[5])) + ((of[2] + of[6]) + (of[3] + of[7]));
}

INLINE int16_t to_16_bits(float value)
{
    value = value < 32767.0f ? value : 32767.0f;
    value = value > -32768.0f ? value : -32768.0f;
    return (int16_t)lrintf(value);
}

static void begin_signal(Resampler *self)
{
    /* Silence lies before the signal. */
    self->kept_count = lead(self->filter);
    memset(self->kept, 0, sizeof self->kept);
    self->taken = self->given = 0;
}

size_t resampler_ready(const Resampler *self, size_t count)
{
    const Filter *filter = self->filter;
    size_t have = (size_t)self->kept_count + count;
    if (have < (size_t)filter->taps)
        return 0;
    return ((have - filter->taps) / filter->down + 1) * filter->up;
}

INLINE uint8_t *put(uint8_t *out, float value)
{
    int16_t sample = to_16_bits(value);
    memcpy(out, &sample, 2);
    return out + 2;
}

/* One period: `up` is spelled out by whoever calls, so that rows which are not there cost nothing. */
INLINE uint8_t *period(const float *window, const Filter *filter, int up, int taps, uint8_t *out)
{
    Eight first = {0}, second = {0}, third = {0};
    for (int t = 0; t < taps; t += LANES) {
        Eight some = eight_at(window + t);
        first += some * eight_at(filter->rows[0] + t);
        if (up > 1)
            second += some * eight_at(filter->rows[1] + t);
        if (up > 2)
            third += some * eight_at(filter->rows[2] + t);
    }
    out = put(out, total(first));
    if (up > 1)
        out = put(out, total(second));
    if (up > 2)
        out = put(out, total(third));
    return out;
}

/* All periods whose window lies within `have` samples; returns where the next one begins. */
WIDEST static int run_periods(const Filter *filter, const float *work, int have, uint8_t *out)
{
    int start = 0, last = have - filter->taps, down = filter->down;
    if (filter->up == 3)
        for (; start <= last; start += down)
            out = period(work + start, filter, 3, TAPS_OF_THREE, out);
    else if (filter->up == 2)
        for (; start <= last; start += down)
            out = period(work + start, filter, 2, filter->taps, out);
    else
        for (; start <= last; start += down)
            out = period(work + start, filter, 1, filter->taps, out);
    return start;
}

/* The same; what the next period needs is kept. Returns the number of samples made. */
static size_t run_block(Resampler *self, const float *work, int have, uint8_t *out)
{
    const Filter *filter = self->filter;
    int start = run_periods(filter, work, have, out);
    self->kept_count = have - start;  /* fewer than `taps` */
    memcpy(self->kept, work + start, sizeof(float) * self->kept_count);
    return (size_t)(start / filter->down * filter->up);
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
    uint8_t tail[2 * MAX_ROWS * (MAX_TAPS + 2)];
    resampler_run(self, silence, filter->reach + spread(filter) + 1, tail);
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
