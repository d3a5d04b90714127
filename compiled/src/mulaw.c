/* mu-law both ways by table (ITU-T G.711): as `audioop.lin2ulaw` and `audioop.ulaw2lin` have it. */
#include "core.h"

uint8_t ulaw_codes[1 << 14];
static int16_t levels[256];

/* Of 14 bits of a sample. */
static uint8_t code_of(int16_t sample)
{
    int value = sample >> 2, mask = 0xff;
    if (value < 0) {
        value = -value;
        mask = 0x7f;
    }
    value = (value > 8159 ? 8159 : value) + 33;
    int segment = 0;
    for (int top = value >> 6; top != 0; top >>= 1)
        segment++;
    if (segment >= 8)
        return (uint8_t)(0x7f ^ mask);
    return (uint8_t)((segment << 4 | (value >> (segment + 1) & 0xf)) ^ mask);
}

static int16_t level_of(uint8_t code)
{
    int bits = ~code & 0xff, level = (((bits & 0xf) << 3) + 0x84) << (bits >> 4 & 7);
    return (int16_t)(bits & 0x80 ? 0x84 - level : level - 0x84);
}

void ulaw_prepare(void)
{
    for (int n = 0; n < 1 << 14; n++)
        ulaw_codes[n] = code_of((int16_t)(uint16_t)(n << 2));
    for (int n = 0; n < 256; n++)
        levels[n] = level_of((uint8_t)n);
}

PyObject *ulaw_of(PyObject *linear)
{
    const uint8_t *l16;
    size_t samples;
    if (whole_samples(linear, &l16, &samples) < 0)
        return NULL;
    PyObject *coded = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)samples);
    if (coded == NULL)
        return NULL;
    uint8_t *out = (uint8_t *)PyBytes_AsString(coded);
    for (size_t n = 0; n < samples; n++)
        out[n] = ulaw_codes[(uint16_t)sample_at(l16, n) >> 2];
    return coded;
}

void linear_of_ulaw(const char *coded, Py_ssize_t from, Py_ssize_t to, char *out)
{
    for (Py_ssize_t at = from; at < to; at++) {
        uint16_t level = (uint16_t)levels[(uint8_t)coded[at / 2]];
        *out++ = (char)(at % 2 ? level >> 8 : level & 0xff);
    }
}
