/* voice_ai_switch_core: the media path's arithmetic, compiled. It decides nothing, waits for nothing
   and knows no socket: bytes go in and bytes come out, as from the Python it stands for. */
#include "core.h"

#include <math.h>

#define INTERFACE 3  /* `bridge.audio.core` names the one it calls: a change of either goes to both */

void free_object(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

void *new_object(PyTypeObject *type)
{
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return allocate(type, 0);
}

PyObject *core_type(const char *name)
{
    PyObject *module = PyImport_ImportModule("voice_ai_switch_core");
    PyObject *type = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    Py_XDECREF(module);
    return type;
}

long rms_of(const uint8_t *l16, size_t samples)
{
    uint64_t squares = 0;
    for (size_t n = 0; n < samples; n++) {
        int32_t sample = sample_at(l16, n);
        squares += (uint64_t)(uint32_t)(sample * sample);
    }
    return (long)sqrt((double)squares / (double)samples);
}

int whole_samples(PyObject *object, const uint8_t **data, size_t *samples)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(object, &bytes, &size) < 0)
        return -1;
    if (size > MAX_BYTES || size % 2) {
        PyErr_Format(PyExc_ValueError, "%zd bytes are no piece of L16", size);
        return -1;
    }
    *data = (const uint8_t *)bytes;
    *samples = (size_t)size / 2;
    return 0;
}

static int add_type(PyObject *module, const char *name, PyObject *type)
{
    int failed = type == NULL || PyModule_AddObjectRef(module, name, type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static int execute(PyObject *module)
{
    if (add_type(module, "Resampler", resampler_type()) < 0
        || add_type(module, "VoiceActivity", voice_activity_type()) < 0
        || add_type(module, "EchoLevels", echo_levels_type()) < 0
        || add_type(module, "KeptAudio", kept_audio_type()) < 0
        || add_type(module, "RingBuffer", ring_buffer_type()) < 0
        || add_type(module, "UplinkCodec", uplink_codec_type()) < 0)
        return -1;
    voicing_prepare();
    ulaw_prepare();
    if (PyModule_AddIntConstant(module, "interface", INTERFACE) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "version", CORE_VERSION);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static PyMethodDef methods[] = {
    {"whole_messages", whole_messages, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "voice_ai_switch_core", "The media path's arithmetic, compiled.", 0,
    methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_voice_ai_switch_core(void)
{
    return PyModuleDef_Init(&definition);
}
