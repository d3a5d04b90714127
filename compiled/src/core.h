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

#define HOP_MS 20

typedef struct Resampler Resampler;
typedef struct VoiceActivity VoiceActivity;
typedef struct EchoLevels EchoLevels;
typedef struct KeptAudio KeptAudio;

PyObject *resampler_type(void);
PyObject *voice_activity_type(void);
PyObject *echo_levels_type(void);
PyObject *kept_audio_type(void);
PyObject *ring_buffer_type(void);
PyObject *uplink_codec_type(void);
PyObject *whole_messages(PyObject *module, PyObject *data);

/* Most samples that `count` more of them can bring out. */
size_t resampler_ready(const Resampler *self, size_t count);
/* Converts `count` samples; writes exactly `resampler_ready` of them. */
void resampler_run(Resampler *self, const uint8_t *l16, size_t count, uint8_t *out);

/* Takes a piece; whether a voice began or ended with it. `rms` below zero: not known. */
int activity_hear(VoiceActivity *self, const uint8_t *l16, size_t samples, double rms,
                  double echo_rms);
/* Takes a piece's level, at this moment; whether it is nothing but our echo. */
int echo_heard(EchoLevels *self, double rms, double now);
/* Whether it is a moment of a monotonic clock; an exception where it is none. */
int is_moment(double at);
/* How loud the echo is in the piece heard last. */
double echo_expected(const EchoLevels *self);
/* Remembers a piece; -1 where there is no memory for it. */
int kept_add(KeptAudio *self, const uint8_t *l16, size_t samples);

/* mu-law: mulaw.c. The code of each upper 14 bits of a sample. */
extern uint8_t ulaw_codes[1 << 14];
void ulaw_prepare(void);
/* A new `bytes` with the codes of L16, at most MAX_BYTES; NULL with an exception. */
PyObject *ulaw_of(PyObject *linear);
/* Writes the bytes `from` to `to` of the L16 that these codes stand for. */
void linear_of_ulaw(const char *coded, Py_ssize_t from, Py_ssize_t to, char *out);

/* Level of at least one sample, as `audioop.rms` has it: cut to a whole number. */
long rms_of(const uint8_t *l16, size_t samples);

/* Pitches of one voice: voicing.c. Begin with all zero. */
#define WINDOW_MS 32
#define MOST_VOICED (WINDOW_MS * 24000 / 1000)  /* samples in a window, at the highest rate */

typedef struct Shape Shape;
typedef struct {
    const Shape *shape;
    int lag;  /* of the pitch heard last; 0: there was none; below: nobody has looked */
    int16_t before[MOST_VOICED];
} Voicing;

void voicing_prepare(void);
int voicing_begin(Voicing *self, int rate_hz);  /* -1: there is no window at this rate */
void voicing_skip(Voicing *self, const uint8_t *l16, size_t count);
void voicing_pass_over(Voicing *self, const uint8_t *l16, size_t count);
int voicing_look(Voicing *self, const uint8_t *l16, size_t count);

/* For `tp_dealloc` of a type made from a specification, which its objects hold. */
void free_object(PyObject *self);
/* An object of this type, all zero but for its head; NULL with an exception. */
void *new_object(PyTypeObject *type);
/* One of the module's types. */
PyObject *core_type(const char *name);
/* `bytes` of at most MAX_BYTES, whole samples; sets an exception and returns -1 otherwise. */
int whole_samples(PyObject *object, const uint8_t **data, size_t *samples);

static inline int16_t sample_at(const uint8_t *l16, size_t index)
{
    int16_t sample;
    memcpy(&sample, l16 + 2 * index, 2);  /* bytes of Python's need not be aligned */
    return sample;
}

#endif
