/* When a caller's voice begins and ends: bridge/session/voice_activity.py says why and how. */
#include "core.h"

#include <math.h>
#include <structmember.h>

#define BEGIN_MS 120
#define VOICED_MS 60
#define ENOUGH_VOICED_MS 120
#define UNVOICED_BEGIN_MS 500
#define MASKED_MS 200
#define OVER_NOISE 2.0
#define VOICED_OVER_NOISE 1.25
#define OVER_ECHO 2.0
#define MAX_CROSSINGS_PER_S 3200
#define RISE (1 + (1.6 - 1) * HOP_MS / 1000)
#define FIRST_NOISE_RMS 250.0
#define MAX_HOP (HOP_MS * 24000 / 1000)  /* samples */

struct VoiceActivity {
    PyObject_HEAD
    Voicing voicing;
    double noise_rms, least_rms;
    int end_ms, loud_ms, voiced_ms, quiet_ms, since_ms;
    char active;
    size_t hop;   /* samples in a piece that is looked at */
    size_t rest;  /* samples that wait for the rest of their piece */
    uint8_t waiting[2 * MAX_HOP];
};

static void forget(VoiceActivity *self)
{
    self->loud_ms = self->voiced_ms = 0;
}

static int be_quiet(VoiceActivity *self)
{
    self->quiet_ms += HOP_MS;
    if (!self->active && !self->loud_ms)
        return 0;
    int masked_ms = self->noise_rms > self->least_rms ? MASKED_MS : 0;
    if (self->quiet_ms < self->end_ms + masked_ms)
        return 0;
    forget(self);
    int changed = self->active;
    self->active = 0;
    return changed;
}

static int be_loud(VoiceActivity *self, int voiced)
{
    if (!self->loud_ms)
        self->since_ms = HOP_MS;
    self->quiet_ms = 0;
    self->loud_ms += HOP_MS;
    if (voiced)
        self->voiced_ms += HOP_MS;
    if (self->active || self->loud_ms < BEGIN_MS)
        return 0;
    self->active = self->voiced_ms >= VOICED_MS || self->loud_ms >= UNVOICED_BEGIN_MS;
    return self->active;
}

static int hisses(const uint8_t *l16, size_t samples)
{
    long crossings = 0;
    for (size_t n = 1; n < samples; n++)
        crossings += (sample_at(l16, n) ^ sample_at(l16, n - 1)) < 0;
    return crossings * 1000 >= MAX_CROSSINGS_PER_S * HOP_MS;
}

static int hear_hop(VoiceActivity *self, const uint8_t *l16, double rms, double echo_rms)
{
    double risen = (self->noise_rms > 1.0 ? self->noise_rms : 1.0) * RISE;
    double noise_rms = self->noise_rms = rms < risen ? rms : risen;
    self->since_ms += HOP_MS;
    if (rms < self->least_rms || rms < OVER_ECHO * echo_rms || rms < VOICED_OVER_NOISE * noise_rms) {
        voicing_skip(&self->voicing, l16, self->hop);
        return be_quiet(self);
    }
    int loud = rms >= OVER_NOISE * noise_rms && !hisses(l16, self->hop);
    if (loud && self->active && self->voiced_ms >= ENOUGH_VOICED_MS) {
        voicing_pass_over(&self->voicing, l16, self->hop);
        return be_loud(self, 0);
    }
    int voiced = voicing_look(&self->voicing, l16, self->hop);
    return loud || voiced ? be_loud(self, voiced) : be_quiet(self);
}

int activity_hear(VoiceActivity *self, const uint8_t *l16, size_t samples, double rms,
                  double echo_rms)
{
    if (self->rest == 0 && samples == self->hop)
        return hear_hop(self, l16, rms < 0 ? (double)rms_of(l16, samples) : rms, echo_rms);
    char before = self->active;
    while (samples > 0) {
        size_t missing = self->hop - self->rest, count = samples < missing ? samples : missing;
        memcpy(self->waiting + 2 * self->rest, l16, 2 * count);
        self->rest += count;
        l16 += 2 * count;
        samples -= count;
        if (self->rest == self->hop) {
            self->rest = 0;
            hear_hop(self, self->waiting, (double)rms_of(self->waiting, self->hop), echo_rms);
        }
    }
    return self->active != before;
}

/* --- the Python object --------------------------------------------------------------------- */

static PyObject *activity_hear_py(PyObject *object, PyObject *const *args, Py_ssize_t count)
{
    const uint8_t *l16;
    size_t samples;
    double rms = -1, echo_rms = 0;
    if (count < 1 || count > 3)
        return PyErr_Format(PyExc_TypeError, "hear takes audio, its level and that of the echo");
    if (whole_samples(args[0], &l16, &samples) < 0)
        return NULL;
    if (count > 1 && args[1] != Py_None)
        rms = PyFloat_AsDouble(args[1]);
    if (count > 2)
        echo_rms = PyFloat_AsDouble(args[2]);
    if (PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(
        activity_hear((VoiceActivity *)object, l16, samples, rms, echo_rms));
}

static PyObject *activity_wait(PyObject *object, PyObject *arg)
{
    long end_ms = PyLong_AsLong(arg);
    if (end_ms == -1 && PyErr_Occurred())
        return NULL;
    if (end_ms < 0 || end_ms > 1 << 24)
        return PyErr_Format(PyExc_ValueError, "no silence lasts %ld ms", end_ms);
    ((VoiceActivity *)object)->end_ms = (int)end_ms;
    Py_RETURN_NONE;
}

static PyObject *activity_conclude(PyObject *object, PyObject *unused)
{
    (void)unused;
    VoiceActivity *self = (VoiceActivity *)object;
    self->active = 0;
    forget(self);
    Py_RETURN_NONE;
}

static PyObject *activity_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int rate_hz, end_ms;
    double least_rms;
    if (kwargs != NULL && PyDict_Size(kwargs) != 0)
        return PyErr_Format(PyExc_TypeError, "VoiceActivity takes no keywords");
    if (!PyArg_ParseTuple(args, "iid:VoiceActivity", &rate_hz, &end_ms, &least_rms))
        return NULL;
    VoiceActivity *self = new_object(type);
    if (self == NULL)
        return NULL;
    self->end_ms = end_ms;
    self->least_rms = least_rms;
    self->noise_rms = FIRST_NOISE_RMS;
    self->hop = (size_t)rate_hz * HOP_MS / 1000;
    if (voicing_begin(&self->voicing, rate_hz) < 0) {
        Py_DECREF(self);
        return PyErr_Format(PyExc_ValueError, "no window at %d Hz", rate_hz);
    }
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"hear", (PyCFunction)(void (*)(void))activity_hear_py, METH_FASTCALL,
     "Audio, its level or None, the echo's: whether a voice began or ended with it."},
    {"wait", activity_wait, METH_O, "So many milliseconds of silence end the voice from now on."},
    {"conclude", activity_conclude, METH_NOARGS, "Somebody else knows that the voice has ended."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"active", T_BOOL, offsetof(VoiceActivity, active), READONLY, NULL},
    {"loud_ms", T_INT, offsetof(VoiceActivity, loud_ms), READONLY, NULL},
    {"voiced_ms", T_INT, offsetof(VoiceActivity, voiced_ms), READONLY, NULL},
    {"quiet_ms", T_INT, offsetof(VoiceActivity, quiet_ms), READONLY, NULL},
    {"since_ms", T_INT, offsetof(VoiceActivity, since_ms), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "One caller's voice: VoiceActivity(rate_hz, end_ms, least_rms)."},
    {Py_tp_new, activity_new},
    {Py_tp_dealloc, free_object},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    "voice_ai_switch_core.VoiceActivity", sizeof(VoiceActivity), 0, Py_TPFLAGS_DEFAULT, slots,
};

PyObject *voice_activity_type(void)
{
    return PyType_FromSpec(&spec);
}
