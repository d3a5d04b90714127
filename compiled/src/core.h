/* What the parts of the core share. Every function that is handed a length keeps within it. */
#ifndef VOICE_AI_SWITCH_CORE_H
#define VOICE_AI_SWITCH_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "L16 is read and written as it lies in memory: little-endian machines only"
#endif

/* More audio than any call hands over at once; what is longer is a mistake, and refused. */
#define MAX_BYTES (1 << 28)

typedef struct Resampler Resampler;

PyObject *resampler_type(void);
PyObject *uplink_codec_type(void);
PyObject *voicing_type(void);
PyObject *whole_messages(PyObject *module, PyObject *data);

/* Most samples that `count` more of them can bring out. */
size_t resampler_ready(const Resampler *self, size_t count);
/* Converts `count` samples; writes exactly `resampler_ready` of them. */
void resampler_run(Resampler *self, const uint8_t *l16, size_t count, uint8_t *out);

/* For `tp_dealloc` of a type made from a specification, which its objects hold. */
void free_object(PyObject *self);
/* `bytes` of at most MAX_BYTES, whole samples; sets an exception and returns -1 otherwise. */
int whole_samples(PyObject *object, const uint8_t **data, size_t *samples);

static inline int16_t sample_at(const uint8_t *l16, size_t index)
{
    int16_t sample;
    memcpy(&sample, l16 + 2 * index, 2);  /* bytes of Python's need not be aligned */
    return sample;
}

#endif
