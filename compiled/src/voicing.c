/* Whether a piece of audio has a pitch that lasts: bridge/session/voicing.py says why and how.

   The same sums in the same order of magnitude of rounding; where two lags are as good as each
   other but for that rounding, both take the shorter one. */
#include "core.h"

#include <math.h>
#include <stdlib.h>

#define INNER_HZ 8000
#define SIZE (2 * WINDOW_MS * INNER_HZ / 1000)  /* of the autocorrelation */
#define BINS (SIZE / 2 + 1)
#define MAX_SAMPLES MOST_VOICED
#define MAX_TRANSFORM 512  /* complex numbers: a window at 16 kHz */
#define LOWEST_HZ 70
#define HIGHEST_HZ 400
#define FIRST_BIN 13   /* 203 Hz: the band is 200 to 2200 Hz */
#define LAST_BIN 140   /* 2188 Hz */
#define FIRST_LAG (INNER_HZ / HIGHEST_HZ)
#define LAST_LAG (INNER_HZ / LOWEST_HZ + 1)
#define LAGS (LAST_LAG - FIRST_LAG)
#define LIKE 0.5
#define STEADY 0.15
#define AS_GOOD (1 - 1e-9)
#define UNKNOWN (-1)

struct Shape {
    int rate_hz, samples;
    int parts;  /* transforms it takes: each of a power of two, of every first, second, third sample */
    double window[MAX_SAMPLES];
    double fade[LAGS];
};

static Shape shapes[] = {
    {8000, 256, 1, {0}, {0}},
    {16000, 512, 1, {0}, {0}},
    {24000, 768, 3, {0}, {0}},
};
/* At half + n, for each half that is a power of two: of n / half half-turns. */
static double cosines[2 * MAX_TRANSFORM], sines[2 * MAX_TRANSFORM];
/* At size + n, for each size that is a power of two: the bits of n from right to left. */
static uint16_t reversed[2 * MAX_TRANSFORM];
/* By how much a part that begins 0, 1, 2 samples later is turned at each frequency. */
static double turned_re[3][BINS], turned_im[3][BINS];

static const double PI = 3.14159265358979323846;

/* --- Fourier transforms of 2^n complex numbers, in place --------------------------------------- */

static void reorder(double *re, double *im, int size)
{
    for (int from = 0; from < size; from++) {
        int to = reversed[size + from];
        if (from < to) {
            double x = re[from], y = im[from];
            re[from] = re[to];
            im[from] = im[to];
            re[to] = x;
            im[to] = y;
        }
    }
}

/* One stage, of two blocks of `half` numbers. */
static inline void combine(double *restrict re, double *restrict im, double *restrict upper_re,
                           double *restrict upper_im, int half)
{
    const double *c = cosines + half, *s = sines + half;
    for (int n = 0; n < half; n++) {
        double x = upper_re[n] * c[n] + upper_im[n] * s[n];
        double y = upper_im[n] * c[n] - upper_re[n] * s[n];
        upper_re[n] = re[n] - x;
        upper_im[n] = im[n] - y;
        re[n] += x;
        im[n] += y;
    }
}

static void transform(double *re, double *im, int size)
{
    reorder(re, im, size);
    for (int half = 1; half < size; half *= 2)
        for (int at = 0; at < size; at += 2 * half)
            combine(re + at, im + at, re + at + half, im + at + half, half);
}

/* Adds frequencies of `count` real values, each `parts` after the other and followed by as many zeros,
   turned as `part` of so many is. */
static void add_part(const double *values, int parts, int part, int count, int first, int last,
                     double *sum_re, double *sum_im)
{
    double re[MAX_TRANSFORM] = {0}, im[MAX_TRANSFORM] = {0};
    for (int n = 0; n < count / 2; n++) {  /* even and odd ones as one complex number */
        re[n] = values[part + parts * 2 * n];
        im[n] = values[part + parts * (2 * n + 1)];
    }
    transform(re, im, count);
    for (int k = first; k <= last; k++) {
        int mirror = (count - k) % count, at = k % count;
        double c = k < count ? cosines[count + k] : -1.0, s = k < count ? sines[count + k] : 0.0;
        double even_re = (re[at] + re[mirror]) / 2, even_im = (im[at] - im[mirror]) / 2;
        double odd_re = (im[at] + im[mirror]) / 2, odd_im = (re[mirror] - re[at]) / 2;
        double x = even_re + odd_re * c + odd_im * s, y = even_im + odd_im * c - odd_re * s;
        sum_re[k] += x * turned_re[part][k] - y * turned_im[part][k];
        sum_im[k] += x * turned_im[part][k] + y * turned_re[part][k];
    }
}

/* Power of frequencies of a window's real values, followed by as many zeros: of all BINS, or of
   those between the first and the last alone. */
static void power_of(const Shape *shape, const double *values, int first, int last, double *power)
{
    double re[BINS] = {0}, im[BINS] = {0};
    for (int part = 0; part < shape->parts; part++)
        add_part(values, shape->parts, part, shape->samples / shape->parts, first, last, re, im);
    for (int k = 0; k < BINS; k++)
        power[k] = re[k] * re[k] + im[k] * im[k];
}

/* From BINS of power to the first LAST_LAG values of the autocorrelation, times SIZE. */
static void autocorrelation(const double *power, double *alike)
{
    enum { HALF = SIZE / 2 };
    double re[HALF], im[HALF];
    for (int k = 0; k < HALF; k++) {
        double sum = power[k] + power[HALF - k], difference = power[k] - power[HALF - k];
        double c = cosines[HALF + k], s = sines[HALF + k];
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
    for (int half = 1; half <= MAX_TRANSFORM; half *= 2)
        for (int n = 0; n < half; n++) {
            cosines[half + n] = cos(PI * n / half);
            sines[half + n] = sin(PI * n / half);
            /* Of a size, from those of half the size: one bit more, on the left. */
            if (half > 1)
                reversed[half + n] = (uint16_t)(reversed[half / 2 + n / 2] + n % 2 * (half / 2));
        }
    for (int part = 0; part < 3; part++)
        for (int k = 0; k < BINS; k++) {
            double angle = 2 * PI * part * k / (2 * MAX_SAMPLES);
            turned_re[part][k] = cos(angle);
            turned_im[part][k] = -sin(angle);
        }
}

static void make_shape(Shape *shape)
{
    double power[BINS], alike[LAST_LAG];
    for (int n = 0; n < shape->samples; n++)
        shape->window[n] = 0.5 - 0.5 * cos(2 * PI * n / (shape->samples - 1));
    power_of(shape, shape->window, 0, BINS - 1, power);
    autocorrelation(power, alike);
    for (int n = 0; n < LAGS; n++)
        shape->fade[n] = alike[FIRST_LAG + n] / alike[0];
}

/* --- pitch --------------------------------------------------------------------------------- */

/* The shortest lag that is as good as the best; 0 where none is good. */
static int best_lag(const double *found)
{
    double most = LIKE;
    for (int n = 0; n < LAGS; n++)
        if (found[n] > most)
            most = found[n];
    for (int n = 0; n < LAGS; n++)
        if (found[n] >= LIKE && found[n] >= most * AS_GOOD)
            return n;
    return 0;
}

static int pitch(const Voicing *self)
{
    const Shape *shape = self->shape;
    double values[MAX_SAMPLES], power[BINS], alike[LAST_LAG], found[LAGS];
    for (int n = 0; n < shape->samples; n++)
        values[n] = self->before[n] * shape->window[n];
    power_of(shape, values, FIRST_BIN, LAST_BIN, power);
    autocorrelation(power, alike);
    if (!(alike[0] > 0))
        return 0;
    for (int n = 0; n < LAGS; n++)
        found[n] = alike[FIRST_LAG + n] / (alike[0] * shape->fade[n]);
    int best = best_lag(found);
    if (best == 0 || best == LAGS - 1)
        return 0;  /* an edge is the slope of another */
    return FIRST_LAG + best;
}

/* --- piece by piece ------------------------------------------------------------------------ */

void voicing_prepare(void)
{
    make_tables();
    for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++)
        make_shape(&shapes[n]);
}

int voicing_begin(Voicing *self, int rate_hz)
{
    for (size_t n = 0; n < sizeof shapes / sizeof shapes[0]; n++)
        if (shapes[n].rate_hz == rate_hz) {
            self->shape = &shapes[n];
            return 0;
        }
    return -1;
}

/* The newest samples, as many as the window holds. */
static void remember(Voicing *self, const uint8_t *l16, size_t count)
{
    size_t size = (size_t)self->shape->samples;
    if (count > size) {
        l16 += 2 * (count - size);
        count = size;
    }
    memmove(self->before, self->before + count, sizeof(int16_t) * (size - count));
    memcpy(self->before + (size - count), l16, sizeof(int16_t) * count);
}

void voicing_skip(Voicing *self, const uint8_t *l16, size_t count)
{
    remember(self, l16, count);
    self->lag = 0;
}

void voicing_pass_over(Voicing *self, const uint8_t *l16, size_t count)
{
    remember(self, l16, count);
    self->lag = UNKNOWN;
}

int voicing_look(Voicing *self, const uint8_t *l16, size_t count)
{
    int before = self->lag == UNKNOWN ? pitch(self) : self->lag;
    remember(self, l16, count);
    self->lag = pitch(self);
    return before && self->lag && abs(self->lag - before) <= STEADY * before;
}
