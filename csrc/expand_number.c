/* repr() of floats and ints, independent of the locale.
 *
 * Floats: the shortest decimal that reads back as the same float, the one nearest to it among
 * those, by Raffaello Giulietti's "Schubfach" way: the float's rounding interval is scaled by one
 * power of ten, rounded to odd, and the decimal is chosen in integers. */
#include "expand_text.h"

/* An int of up to 1120 bits: 10 to the 324th has 1077. */
#define WORDS 35

struct big {
    uint32_t word[WORDS];
};

static void big_times(struct big *big, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < WORDS; i++) {
        carry += (uint64_t)big->word[i] * factor;
        big->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static bool big_less(const struct big *a, const struct big *b)
{
    for (int i = WORDS - 1; i >= 0; i--) {
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i];
    }
    return false;
}

static void big_subtract(struct big *a, const struct big *b)
{
    int64_t borrow = 0;
    for (int i = 0; i < WORDS; i++) {
        borrow += (int64_t)a->word[i] - b->word[i];
        a->word[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
}

static int big_bits(const struct big *big)
{
    int i = WORDS - 1;
    while (i > 0 && big->word[i] == 0)
        i--;
    return i * 32 + (big->word[i] ? 32 - __builtin_clz(big->word[i]) : 0);
}

static bool big_bit(const struct big *big, int bit)
{
    return bit >= 0 && (big->word[bit / 32] >> (bit % 32) & 1);
}

/* 10 to the `exponent`, scaled to 128 bits and rounded up. */
static struct ct_power compute_power(int exponent)
{
    struct big ten = {.word = {1}};
    for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--)
        big_times(&ten, 10);
    int bits = big_bits(&ten);
    struct ct_power power = {0, 0};
    bool inexact = true;
    if (exponent >= 0) {
        for (int i = 1; i <= 128; i++) {
            power.high = power.high << 1 | power.low >> 63;
            power.low = power.low << 1 | big_bit(&ten, bits - i);
        }
        inexact = false;
        for (int i = bits - 129; i >= 0 && !inexact; i--)
            inexact = big_bit(&ten, i);
    } else {
        /* Long division: the quotient of the power of two just below and `ten`, bit by bit. */
        struct big rest = {.word = {0}};
        rest.word[(bits - 1) / 32] = 1u << (bits - 1) % 32;
        for (int i = 0; i < 128; i++) {
            big_times(&rest, 2);
            bool bit = !big_less(&rest, &ten);
            if (bit)
                big_subtract(&rest, &ten);
            power.high = power.high << 1 | power.low >> 63;
            power.low = power.low << 1 | bit;
        }
    }
    if (inexact && ++power.low == 0)
        power.high++;
    return power;
}

static struct ct_power power_of_ten(struct ct_powers *powers, int exponent)
{
    struct ct_power *power = &powers->of[exponent - CT_POWER_MIN];
    if (power->high == 0)
        *power = compute_power(exponent);
    return *power;
}

static uint64_t scale_to_odd(struct ct_power power, uint64_t factor)
{
    unsigned __int128 low = (unsigned __int128)power.low * factor;
    unsigned __int128 high = (unsigned __int128)power.high * factor + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

struct decimal {
    uint64_t digits;
    int exponent;
};

static int floor_shift(int64_t value, int shift)
{
    return (int)(value >= 0 ? value >> shift : -((-value + (1 << shift) - 1) >> shift));
}

/* The shortest decimal of a finite float above zero, given by its fields. */
static struct decimal shortest(struct ct_powers *powers, uint64_t fraction, int biased)
{
    uint64_t c = biased ? fraction | (uint64_t)1 << 52 : fraction;
    int q = (biased ? biased : 1) - 1075;
    if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0)
        return (struct decimal){c >> -q, 0};
    bool odd = c & 1;
    /* Below a power of two the floats lie twice as close. */
    bool closer = fraction == 0 && biased > 1;
    int k = floor_shift((int64_t)q * 1262611 - (closer ? 524031 : 0), 22);
    int h = q + floor_shift((int64_t)-k * 1741647, 19) + 1;
    struct ct_power power = power_of_ten(powers, -k);
    uint64_t lower = scale_to_odd(power, (4 * c - 2 + closer) << h) + odd;
    uint64_t value = scale_to_odd(power, (4 * c) << h);
    uint64_t upper = scale_to_odd(power, (4 * c + 2) << h) - odd;
    uint64_t s = value / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool below = lower <= 40 * tens;
        bool above = 40 * tens + 40 <= upper;
        if (below != above)
            return (struct decimal){tens + above, k + 1};
    }
    bool below = lower <= 4 * s;
    bool above = 4 * s + 4 <= upper;
    if (below != above)
        return (struct decimal){s + above, k};
    uint64_t middle = 4 * s + 2;
    return (struct decimal){s + (value > middle || (value == middle && (s & 1))), k};
}

static size_t decimal_digits(uint64_t value, char out[20])
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

void ct_buf_decimal(struct ct_buf *out, uint64_t value)
{
    char digits[20];
    ct_buf_put(out, digits, decimal_digits(value, digits));
}

/* How repr() lays out the digits; `whole` is put behind a float without a fraction. */
static size_t lay_out(struct decimal decimal, const char *whole, char *out)
{
    while (decimal.digits && decimal.digits % 10 == 0) {
        decimal.digits /= 10;
        decimal.exponent++;
    }
    char digits[20];
    int count = (int)decimal_digits(decimal.digits, digits);
    int point = decimal.digits ? count + decimal.exponent : 1;
    char *at = out;
    if (point > 16 || point < -3) {
        *at++ = digits[0];
        if (count > 1) {
            *at++ = '.';
            memcpy(at, digits + 1, (size_t)count - 1);
            at += count - 1;
        }
        int exponent = point - 1;
        *at++ = 'e';
        *at++ = exponent < 0 ? '-' : '+';
        exponent = exponent < 0 ? -exponent : exponent;
        if (exponent < 10)
            *at++ = '0';
        at += decimal_digits((uint64_t)exponent, at);
    } else if (point <= 0) {
        *at++ = '0';
        *at++ = '.';
        for (int i = point; i < 0; i++)
            *at++ = '0';
        memcpy(at, digits, (size_t)count);
        at += count;
    } else {
        for (int i = 0; i < point; i++)
            *at++ = i < count ? digits[i] : '0';
        if (count > point) {
            *at++ = '.';
            memcpy(at, digits + point, (size_t)(count - point));
            at += count - point;
        } else {
            size_t length = strlen(whole);
            memcpy(at, whole, length);
            at += length;
        }
    }
    return (size_t)(at - out);
}

static size_t float_text(struct ct_powers *powers, double value, const char *plus,
                         const char *whole, char *out)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int biased = (int)(bits >> 52 & 0x7FF);
    bool nan = biased == 0x7FF && fraction;
    const char *sign = bits >> 63 && !nan ? "-" : plus;
    size_t n = strlen(sign);
    memcpy(out, sign, n);
    if (biased == 0x7FF) {
        memcpy(out + n, nan ? "nan" : "inf", 3);
        return n + 3;
    }
    struct decimal decimal = {0, 0};
    if (biased || fraction)
        decimal = shortest(powers, fraction, biased);
    return n + lay_out(decimal, whole, out + n);
}

size_t ct_float_text(struct ct_powers *powers, double value, char out[CT_FLOAT_TEXT])
{
    return float_text(powers, value, "", ".0", out);
}

size_t ct_complex_text(struct ct_powers *powers, double real, double imag,
                       char out[CT_COMPLEX_TEXT])
{
    static const double zero = 0.0;
    size_t n = 0;
    bool pure = memcmp(&real, &zero, sizeof real) == 0;
    if (!pure) {
        out[n++] = '(';
        n += float_text(powers, real, "", "", out + n);
    }
    n += float_text(powers, imag, pure ? "" : "+", "", out + n);
    out[n++] = 'j';
    if (!pure)
        out[n++] = ')';
    return n;
}

#define LIMBS       (CT_INT_TEXT_BYTES / 8)
#define CHUNK       UINT64_C(1000000000000000000)
#define CHUNK_WIDTH 18

/* The magnitude of `bytes` in limbs, and how many of them count. */
static size_t magnitude(struct ct_span bytes, uint64_t limb[LIMBS + 1], bool *negative)
{
    *negative = bytes.length && bytes.data[bytes.length - 1] >> 7;
    uint8_t fill = *negative ? 0xFF : 0;
    size_t count = bytes.length / 8 + 1;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 0;
        for (size_t j = 8; j > 0; j--) {
            size_t at = i * 8 + j - 1;
            value = value << 8 | (at < bytes.length ? bytes.data[at] : fill);
        }
        limb[i] = value;
    }
    bool carry = *negative;
    for (size_t i = 0; *negative && i < count; i++) {
        limb[i] = ~limb[i] + carry;
        carry = carry && limb[i] == 0;
    }
    while (count && limb[count - 1] == 0)
        count--;
    return count;
}

uint64_t ct_int_bits(struct ct_span bytes)
{
    /* The bits of the magnitude are those of n or, below zero, of ~n, except when n is minus a
     * power of two. */
    bool negative = bytes.length && bytes.data[bytes.length - 1] >> 7;
    bool power = negative;
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t byte = negative ? (uint8_t)~bytes.data[i] : bytes.data[i];
        if (byte)
            bits = 8 * (uint64_t)i + 32 - (unsigned)__builtin_clz(byte);
    }
    for (size_t i = 0; power && i < bits / 8; i++)
        power = bytes.data[i] == 0;
    if (power && bits % 8)
        power = (uint8_t)(bytes.data[bits / 8] << (8 - bits % 8)) == 0;
    return bits + power;
}

void ct_int_text(struct ct_buf *out, struct ct_span bytes)
{
    uint64_t limb[LIMBS + 1];
    uint64_t chunk[LIMBS + LIMBS / 8 + 2];
    bool negative;
    size_t count = magnitude(bytes, limb, &negative);
    size_t chunks = 0;
    while (count) {
        unsigned __int128 rest = 0;
        for (size_t i = count; i > 0; i--) {
            rest = rest << 64 | limb[i - 1];
            limb[i - 1] = (uint64_t)(rest / CHUNK);
            rest %= CHUNK;
        }
        chunk[chunks++] = (uint64_t)rest;
        while (count && limb[count - 1] == 0)
            count--;
    }
    if (negative)
        ct_buf_literal(out, "-");
    ct_buf_decimal(out, chunks ? chunk[chunks - 1] : 0);
    while (chunks > 1) {
        char digits[20];
        size_t length = decimal_digits(chunk[--chunks - 1], digits);
        for (size_t i = length; i < CHUNK_WIDTH; i++)
            ct_buf_literal(out, "0");
        ct_buf_put(out, digits, length);
    }
}
