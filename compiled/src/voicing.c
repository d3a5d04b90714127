/* Whether a piece of audio has a pitch that lasts: bridge/session/voicing.py says why and how.

   The same sums in the same order of magnitude of rounding; where two lags are as good as each
   other but for that rounding, both take the shorter one. */
#include "core.h"

#include <math.h>
#include <stdlib.h>

#define WINDOW_MS 32
#define INNER_HZ 8000
#define SIZE (2 * WINDOW_MS * INNER_HZ / 1000)  /* of the autocorrelation */
#define BINS (SIZE / 2 + 1)
#define MAX_RATE_HZ 16000
#define MAX_SAMPLES (WINDOW_MS * MAX_RATE_HZ / 1000)
#define LOWEST_HZ 70
#define HIGHEST_HZ 400
#define BAND_LOW_HZ 200
#define BAND_HIGH_HZ 2200
#define FIRST_LAG (INNER_HZ / HIGHEST_HZ)
#define LAST_LAG (INNER_HZ / LOWEST_HZ + 1)
#define LAGS (LAST_LAG - FIRST_LAG)
#define LIKE 0.5
#define STEADY 0.15
#define AS_GOOD (1 - 1e-9)

typedef struct {
    int rate_hz, samples;
    double window[MAX_SAMPLES];
    double fade[LAGS];
} Shape;

typedef struct {
    PyObject_HEAD
    const Shape *shape;
    int lag;  /* of the pitch heard last; 0: there was none */
    int16_t before[MAX_SAMPLES];
} Voicing;

static Shape shapes[] = {{8000, 256, {0}, {0}}, {16000, 512, {0}, {0}}};
static double cosines[MAX_SAMPLES], sines[MAX_SAMPLES];  /* of n / (2 * MAX_SAMPLES) turns */

static const double PI = 3.14159265358979323846;

/* --- Fourier transforms of 2^n complex numbers, in place --------------------------------------- */

static void reorder(double *re, double *im, int size)
{
    for (int from = 1, to = 0; from < size; from++) {
        int bit = size >> 1;
        for (; to & bit; bit >>= 1)
            to ^= bit;
        to |= bit;
        if (from < to) {
            double kept = re[from];
            re[from] = re[to];
            re[to] = kept;
            kept = im[from];
            im[from] = im[to];
            im[to] = kept;
        }
    }
}

static void transform(double *re, double *im, int size)
{
    reorder(re, im, size);
    for (int half = 1; half < size; half *= 2) {
        int stride = MAX_SAMPLES / half;
        for (int block = 0; block < size; block += 2 * half)
            for (int n = 0; n < half; n++) {
                double c = cosines[n * stride], s = sines[n * stride];
                int a = block + n, b = a + half;
                double x = re[b] * c + im[b] * s, y = im[b] * c - re[b] * s;
                re[b] = re[a] - x;
                im[b] = im[a] - y;
                re[a] += x;
                im[a] += y;
            }
    }
}

/* Power of the first `bins` frequencies of `count` real values, followed by as many zeros. */
static void power_of(const double *values, int count, int bins, double *power)
{
    double re[MAX_SAMPLES] = {0}, im[MAX_SAMPLES] = {0};
    for (int n = 0; n < count / 2; n++) {  /* even and odd ones as one complex number */
        re[n] = values[2 * n];
        im[n] = values[2 * n + 1];
    }
    transform(re, im, count);
    for (int k = 0; k < bins; k++) {
        int mirror = (count - k) % count, at = k % count;
        double c = k < count ? cosines[k * (MAX_SAMPLES / count)] : -1.0;
        double s = k < count ? sines[k * (MAX_SAMPLES / count)] : 0.0;
        double even_re = (re[at] + re[mirror]) / 2, even_im = (im[at] - im[mirror]) / 2;
        double odd_re = (im[at] + im[mirror]) / 2, odd_im = (re[mirror] - re[at]) / 2;
        double x = even_re + odd_re * c + odd_im * s, y = even_im + odd_im * c - odd_re * s;
        power[k] = x * x + y * y;
    }
}

/* From BINS of power to the first LAST_LAG values of the autocorrelation, times SIZE. */
static void autocorrelation(const double *power, double *alike)
{
    enum { HALF = SIZE / 2 };
    double re[HALF], im[HALF];
    for (int k = 0; k < HALF; k++) {
        double sum = power[k] + power[HALF - k], difference = power[k] - power[HALF - k];
        double c = cosines[k * (MAX_SAMPLES / HALF)], s = sines[k * (MAX_SAMPLES / HALF)];
        re[k] = sum - difference * s;
        im[k] = -difference * c;  /* conjugated: the way back by the way there */
    }
    transform(re, im, HALF);
    for (int n = 0; n < LAST_LAG; n++)
        alike[n] = n % 2 ? -im[n / 2] : re[n / 2];
}

/* --- shapes -------------------------------------------------------------------------------- */

static void make_tables(void)
{
    for (int n = 0; n < MAX_SAMPLES; n++) {
        cosines[n] = cos(PI * n / MAX_SAMPLES);
        sines[n] = sin(PI * n / MAX_SAMPLES);
    }
}

static void make_shape(Shape *shape)
{
    double power[BINS], alike[LAST_LAG];
    for (int n = 0; n < shape->samples; n++)
        shape->window[n] = 0.5 - 0.5 * cos(2 * PI * n / (shape->samples - 1));
    power_of(shape->window, shape->samples, BINS, power);
    autocorrelation(power, alike);
    for (int n = 0; n < LAGS; n++)
        shape->fade[n] = alike[FIRST_LAG + n] / alike[0];
}

/* --- pitch --------------------------------------------------------------------------------- */

static void keep_band(double *power)
{
    for (int k = 0; k < BINS; k++) {
        double hz = (double)k * INNER_HZ / SIZE;
        if (hz < BAND_LOW_HZ || hz > BAND_HIGH_HZ)
            power[k] = 0;
    }
}

/* The shortest lag that is as good as the best. */
static int best_lag(const double *found)
{
    double most = found[0];
    for (int n = 1; n < LAGS; n++)
        if (found[n] > most)
            most = found[n];
    int best = 0;
    while (found[best] < most * AS_GOOD)
        best++;
    return best;
}

static int pitch(const Voicing *self)
{
    const Shape *shape = self->shape;
    double values[MAX_SAMPLES], power[BINS], alike[LAST_LAG], found[LAGS];
    for (int n = 0; n < shape->samples; n++)
        values[n] = self->before[n] * shape->window[n];
    power_of(values, shape->samples, BINS, power);
    keep_band(power);
    autocorrelation(power, alike);
    if (!(alike[0] > 0))
        return 0;
    for (int n = 0; n < LAGS; n++)
        found[n] = alike[FIRST_LAG + n] / (alike[0] * shape->fade[n]);
    int best = best_lag(found);
    if (best == 0 || best == LAGS - 1 || found[best] < LIKE)
        return 0;  /* an edge is the slope of another */
    return FIRST_LAG + best;
}

/* --- the Python object --------------------------------------------------------------------- */

static const Shape *shape_for(int rate_hz)
{
    for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++)
        if (shapes[n].rate_hz == rate_hz)
            return &shapes[n];
    return NULL;
}

/* The newest samples, as many as the window holds. */
static int remember(Voicing *self, PyObject *hop)
{
    const uint8_t *l16;
    size_t count, size = (size_t)self->shape->samples;
    if (whole_samples(hop, &l16, &count) < 0)
        return -1;
    if (count > size) {
        l16 += 2 * (count - size);
        count = size;
    }
    memmove(self->before, self->before + count, sizeof(int16_t) * (size - count));
    memcpy(self->before + (size - count), l16, sizeof(int16_t) * count);
    return 0;
}

static PyObject *voicing_skip(PyObject *object, PyObject *hop)
{
    Voicing *self = (Voicing *)object;
    if (remember(self, hop) < 0)
        return NULL;
    self->lag = 0;
    Py_RETURN_NONE;
}

static PyObject *voicing_look(PyObject *object, PyObject *hop)
{
    Voicing *self = (Voicing *)object;
    if (remember(self, hop) < 0)
        return NULL;
    int before = self->lag;
    self->lag = pitch(self);
    return PyBool_FromLong(before && self->lag && abs(self->lag - before) <= STEADY * before);
}

static PyObject *voicing_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int rate_hz;
    if (kwargs != NULL && PyDict_Size(kwargs) != 0)
        return PyErr_Format(PyExc_TypeError, "Voicing takes no keywords");
    if (!PyArg_ParseTuple(args, "i:Voicing", &rate_hz))
        return NULL;
    const Shape *shape = shape_for(rate_hz);
    if (shape == NULL)
        return PyErr_Format(PyExc_ValueError, "no window at %d Hz", rate_hz);
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Voicing *self = (Voicing *)allocate(type, 0);
    if (self != NULL)
        self->shape = shape;
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"skip", voicing_skip, METH_O, "A piece that is too quiet to be worth a look."},
    {"look", voicing_look, METH_O, "Return whether the pitch of the piece before it goes on."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "One caller's voice: Voicing(rate_hz)."},
    {Py_tp_new, voicing_new},
    {Py_tp_dealloc, free_object},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    "voice_ai_switch_core.Voicing", sizeof(Voicing), 0, Py_TPFLAGS_DEFAULT, slots,
};

PyObject *voicing_type(void)
{
    make_tables();
    for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++)
        make_shape(&shapes[n]);
    return PyType_FromSpec(&spec);
}
