/* Levels of what is played and of what is heard, and how alike they are: bridge/session/echo_levels.py
   says what for. */
#include "core.h"

#include <math.h>

#define BINS 128
#define BINS_PER_S 50
#define BIN_S 0.02
#define MAX_DELAY 30
#define COUNT (BINS - MAX_DELAY - 2)  /* levels that are compared */
#define FEWEST 30
#define AUDIBLE_RMS 60
#define HEARD_RMS 100.0
#define OVER_ECHO 2.0
#define LEAST_SPREAD 1e-9
#define RESYNC 3
#define LATEST_S 1e9  /* moments beyond that are none */

/* The last BINS levels, by absolute number; what nobody wrote is silence. */
typedef struct {
    int64_t last;
    uint16_t values[BINS];
} Levels;

struct EchoLevels {
    PyObject_HEAD
    Levels played, heard;
    double gain;  /* of the echo; 0: there is none */
    int delay;    /* of the echo, in bins */
};

static uint16_t *place(Levels *levels, int64_t number)
{
    return &levels->values[((number % BINS) + BINS) % BINS];
}

static void put(Levels *levels, int64_t number, uint16_t level)
{
    if (number > levels->last) {
        int64_t skipped = levels->last + 1;
        if (skipped < number - BINS + 1)
            skipped = number - BINS + 1;
        for (; skipped < number; skipped++)
            *place(levels, skipped) = 0;
        *place(levels, number) = level;
        levels->last = number;
    } else if (number > levels->last - BINS) {
        uint16_t *there = place(levels, number);
        *there = level > *there ? level : *there;
    }
}

static uint16_t level_at(const Levels *levels, int64_t number)
{
    if (number <= levels->last - BINS || number > levels->last)
        return 0;
    return *place((Levels *)levels, number);
}

static double expected(const EchoLevels *self, int64_t number)
{
    int64_t at = number - self->delay;
    uint16_t most = level_at(&self->played, at - 1);
    for (int64_t n = at; n <= at + 1; n++)
        if (level_at(&self->played, n) > most)
            most = level_at(&self->played, n);
    return self->gain * most;
}

int echo_heard(EchoLevels *self, double rms, double now)
{
    int64_t number = self->heard.last + 1, by_clock = (int64_t)(now / BIN_S);
    if (by_clock - number > RESYNC || number - by_clock > RESYNC)
        number = by_clock;
    put(&self->heard, number, (uint16_t)(rms < 65535 ? rms : 65535));
    if (self->gain == 0)
        return 0;
    double echo_rms = expected(self, number);
    return echo_rms >= HEARD_RMS && rms < OVER_ECHO * echo_rms;
}

double echo_expected(const EchoLevels *self)
{
    return self->gain == 0 ? 0 : expected(self, self->heard.last);
}

/* Correlation of what was heard with what was played 0, 1, 2... bins before; 0 where either is
   constant. */
static void correlate(const double *played, const double *heard, double *alike)
{
    double mean = 0, power = 0, other[COUNT];
    for (int n = 0; n < COUNT; n++)
        mean += heard[n] / COUNT;
    for (int n = 0; n < COUNT; n++) {
        other[n] = heard[n] - mean;
        power += other[n] * other[n];
    }
    for (int delay = 0; delay <= MAX_DELAY; delay++) {
        const double *before = played + MAX_DELAY - delay;
        double total = 0, squares = 0, both = 0;
        for (int n = 0; n < COUNT; n++) {
            total += before[n];
            squares += before[n] * before[n];
            both += before[n] * other[n];
        }
        double spread = squares - total * total / COUNT;
        double scale = sqrt((spread > 0 ? spread : 0) * power);
        alike[delay] = spread > LEAST_SPREAD * squares && scale > 0 ? both / scale : 0;
    }
}

/* --- the Python object --------------------------------------------------------------------- */

int is_moment(double at)
{
    if (isfinite(at) && fabs(at) <= LATEST_S)
        return 1;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "no moment of a monotonic clock");
    return 0;
}

static PyObject *echo_played_py(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    EchoLevels *self = (EchoLevels *)object;
    const uint8_t *l16;
    size_t samples;
    if (count != 3)
        return PyErr_Format(PyExc_TypeError, "played takes audio, its rate and a moment");
    if (whole_samples(args[0], &l16, &samples) < 0)
        return NULL;
    long rate_hz = PyLong_AsLong(args[1]);
    double at = PyFloat_AsDouble(args[2]);
    if (PyErr_Occurred() || !is_moment(at))
        return NULL;
    if (rate_hz < BINS_PER_S || rate_hz > 1 << 20)
        return PyErr_Format(PyExc_ValueError, "no audio has %ld Hz", rate_hz);
    int64_t number = (int64_t)rint(at * BINS_PER_S);
    size_t size = (size_t)(rate_hz / BINS_PER_S);
    for (; samples > 0; number++) {
        size_t bin = samples < size ? samples : size;
        put(&self->played, number, (uint16_t)rms_of(l16, bin));
        l16 += 2 * bin;
        samples -= bin;
    }
    Py_RETURN_NONE;
}

static PyObject *echo_heard_py(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "heard takes a level and a moment");
    double rms = PyFloat_AsDouble(args[0]), now = PyFloat_AsDouble(args[1]);
    if (PyErr_Occurred() || !is_moment(now))
        return NULL;
    if (!(rms >= 0))
        return PyErr_Format(PyExc_ValueError, "no level is below zero");
    return PyBool_FromLong(echo_heard((EchoLevels *)object, rms, now));
}

static PyObject *echo_expected_py(PyObject *object, PyObject *unused)
{
    (void)unused;
    return PyFloat_FromDouble(echo_expected((EchoLevels *)object));
}

static PyObject *echo_expect(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    EchoLevels *self = (EchoLevels *)object;
    if (count != 2)
        return PyErr_Format(PyExc_TypeError, "expect takes a gain and a delay in bins");
    double gain = PyFloat_AsDouble(args[0]);
    long delay = PyLong_AsLong(args[1]);
    if (PyErr_Occurred())
        return NULL;
    if (!(gain >= 0) || delay < 0 || delay > MAX_DELAY)
        return PyErr_Format(PyExc_ValueError, "no echo is like that");
    self->gain = gain;
    self->delay = (int)delay;
    Py_RETURN_NONE;
}

static PyObject *as_tuple(const double *values, int count)
{
    PyObject *tuple = PyTuple_New(count);
    for (int n = 0; tuple != NULL && n < count; n++) {
        PyObject *value = PyFloat_FromDouble(values[n]);
        if (value == NULL || PyTuple_SetItem(tuple, n, value) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

static void stretch(const Levels *levels, int64_t last, int count, double *out)
{
    for (int n = 0; n < count; n++)
        out[n] = level_at(levels, last - count + 1 + n);
}

static PyObject *echo_alike(PyObject *object, PyObject *unused)
{
    (void)unused;
    EchoLevels *self = (EchoLevels *)object;
    double played[COUNT + MAX_DELAY], heard[COUNT], alike[MAX_DELAY + 1];
    int audible = 0;
    stretch(&self->played, self->heard.last, COUNT + MAX_DELAY, played);
    for (int n = 0; n < COUNT + MAX_DELAY; n++)
        audible += played[n] >= AUDIBLE_RMS;
    if (audible < FEWEST)
        return PyTuple_New(0);
    stretch(&self->heard, self->heard.last, COUNT, heard);
    correlate(played, heard, alike);
    return as_tuple(alike, MAX_DELAY + 1);
}

static PyObject *echo_both(PyObject *object, PyObject *arg)
{
    EchoLevels *self = (EchoLevels *)object;
    long delay = PyLong_AsLong(arg);
    if (delay == -1 && PyErr_Occurred())
        return NULL;
    if (delay < 0 || delay > MAX_DELAY)
        return PyErr_Format(PyExc_ValueError, "no delay of %ld bins is looked at", delay);
    double played[COUNT], heard[COUNT];
    stretch(&self->played, self->heard.last - delay, COUNT, played);
    stretch(&self->heard, self->heard.last, COUNT, heard);
    return Py_BuildValue("(NN)", as_tuple(played, COUNT), as_tuple(heard, COUNT));
}

static PyObject *echo_lately(PyObject *object, PyObject *arg)
{
    EchoLevels *self = (EchoLevels *)object;
    long count = PyLong_AsLong(arg);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    if (count < 0 || count > BINS)
        return PyErr_Format(PyExc_ValueError, "no %ld levels are kept", count);
    double heard[BINS], echo[BINS];
    stretch(&self->heard, self->heard.last, (int)count, heard);
    for (int n = 0; n < count; n++)
        echo[n] = expected(self, self->heard.last - count + 1 + n);
    return Py_BuildValue("(NN)", as_tuple(heard, (int)count), as_tuple(echo, (int)count));
}

static PyObject *echo_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_Size(args) != 0 || (kwargs != NULL && PyDict_Size(kwargs) != 0))
        return PyErr_Format(PyExc_TypeError, "EchoLevels takes no arguments");
    EchoLevels *self = new_object(type);
    if (self != NULL)
        self->played.last = self->heard.last = -1;
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"played", (PyCFunction)(void (*)(void))echo_played_py, METH_FASTCALL,
     "L16 at a rate, whose first sample is heard at a moment."},
    {"heard", (PyCFunction)(void (*)(void))echo_heard_py, METH_FASTCALL,
     "A piece's level at a moment: whether it is nothing but our echo."},
    {"expected", echo_expected_py, METH_NOARGS, "How loud the echo is in the piece heard last."},
    {"expect", (PyCFunction)(void (*)(void))echo_expect, METH_FASTCALL,
     "The echo's gain, 0 where there is none, and its delay in bins."},
    {"alike", echo_alike, METH_NOARGS, "Correlation at each delay; empty: too little was played."},
    {"both", echo_both, METH_O, "What was played so many bins before, and what was heard."},
    {"lately", echo_lately, METH_O, "So many levels that were heard, and those of the echo."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Levels of one call: EchoLevels()."},
    {Py_tp_new, echo_new},
    {Py_tp_dealloc, free_object},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    "voice_ai_switch_core.EchoLevels", sizeof(EchoLevels), 0, Py_TPFLAGS_DEFAULT, slots,
};

PyObject *echo_levels_type(void)
{
    return PyType_FromSpec(&spec);
}
