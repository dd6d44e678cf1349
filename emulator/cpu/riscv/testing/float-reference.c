/*
 * Floating-point cases with their results, as an independent reference for tests: operations of the host's processor (SSE,
 * which follows IEEE 754, with tininess detected after rounding) under its own rounding modes. To nearest with ties away
 * from zero, which it lacks, differs from ties to even in exact ties only; those are recognized with the 64-bit
 * significands of the x87, which represent the halfway point between two numbers. What RISC-V defines by itself is
 * written out.
 *
 * float-reference INSTRUCTION MODE COUNT SEED: MODE 0 to 4 as in frm, or -1 for all. Writes COUNT records of 40 bytes, in
 * the host's byte order: three source registers, the result's, 32 bits of mode and 32 of flags.
 */
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xmmintrin.h>

enum { NX = 1, UF = 2, OF = 4, DZ = 8, NV = 16 };
enum { RNE, RTZ, RDN, RUP, RMM };

static uint64_t state;
static uint64_t next(void) { /* splitmix64 */
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
/* A number below a bound of less than 32 bits. */
static uint64_t below(uint64_t bound) { return ((next() >> 32) * bound) >> 32; }

/* Control and status of SSE: exceptions masked, flags clear. */
static void start(int mode) {
  static const unsigned control[] = {0x0000, 0x6000, 0x2000, 0x4000, 0x0000};
  _mm_setcsr(0x1f80 | control[mode]);
}
static unsigned flags(void) {
  unsigned status = _mm_getcsr();
  _mm_setcsr(0x1f80);
  return (status & 1 ? NV : 0) | (status & 4 ? DZ : 0) | (status & 8 ? OF : 0) | (status & 16 ? UF : 0) |
         (status & 32 ? NX : 0);
}

/* The field layout of a format. */
struct format { int bits, fraction; uint64_t infinity, quiet, sign; };
static const struct format single = {32, 23, 0x7f800000, 1u << 22, 1u << 31};
static const struct format doubled = {64, 52, 0x7ff0000000000000, 1ull << 51, 1ull << 63};

static uint64_t canonical(const struct format *f) { return f->infinity | f->quiet; }
static uint64_t magnitude(const struct format *f, uint64_t x) { return x & (f->sign - 1); }
static int is_nan(const struct format *f, uint64_t x) { return magnitude(f, x) > f->infinity; }
static int is_signaling(const struct format *f, uint64_t x) { return is_nan(f, x) && !(x & f->quiet); }

/* A fraction: uniform, few digits at the top, few at the bottom, or all ones but a few. */
static uint64_t random_fraction(const struct format *f) {
  uint64_t mask = (1ull << f->fraction) - 1, bits = next() & mask;
  int shift = below(f->fraction + 1);
  switch (below(6)) {
    case 0: return bits & ~((1ull << shift) - 1);
    case 1: return bits & ((1ull << shift) - 1);
    case 2: return mask & ~(bits & ((1ull << shift) - 1));
    case 3: return (1ull << shift) & mask;
    default: return bits;
  }
}

static uint64_t random_bits(const struct format *f) {
  static const int specials = 10;
  uint64_t sign = below(2) ? f->sign : 0;
  int exponents = (1 << (f->bits - 1 - f->fraction)) - 1, bias = exponents >> 1, exponent;
  switch (below(10)) {
    case 0: return next() & (f->sign | (f->sign - 1));
    case 1:
      switch (below(specials)) {
        case 0: return sign;
        case 1: return sign | f->infinity;
        case 2: return sign | canonical(f) | random_fraction(f);
        case 3: return sign | f->infinity | (random_fraction(f) >> 1 ? random_fraction(f) : 1);
        case 4: return sign | 1;
        case 5: return sign | ((1ull << f->fraction) - 1);
        case 6: return sign | (1ull << f->fraction);
        case 7: return sign | (f->infinity - 1);
        case 8: return sign | (f->infinity - 1 - below(4));
        default: return sign | ((uint64_t)bias << f->fraction);
      }
    case 2: exponent = below(f->fraction + 6); break;
    case 3: exponent = exponents - 1 - below(4); break;
    case 4: exponent = bias / 2 + below(8); break; /* products near the smallest */
    case 5: exponent = bias + bias / 2 + below(8); break; /* and the largest */
    case 6: exponent = below(exponents); break;
    default: exponent = bias - f->fraction - 4 + below(2 * f->fraction + 8); break;
  }
  return sign | ((uint64_t)exponent << f->fraction) | random_fraction(f);
}

/* A number near another: with the same exponent or one close to it, and a similar fraction or its complement. */
static uint64_t related(const struct format *f, uint64_t x) {
  uint64_t mask = (1ull << f->fraction) - 1;
  int exponents = (1 << (f->bits - 1 - f->fraction)) - 1;
  int exponent = magnitude(f, x) >> f->fraction;
  static const int steps[] = {0, 0, 0, 1, -1, 2, -2};
  exponent += below(2) ? steps[below(7)] : (int)below(2 * f->fraction + 8) - f->fraction - 4;
  if (exponent < 0) exponent = 0;
  if (exponent > exponents) exponent = exponents;
  uint64_t fraction = x & mask;
  switch (below(4)) {
    case 0: fraction = random_fraction(f); break;
    case 1: fraction = ~fraction & mask; break;
    default: fraction = (fraction + below(9) - 4) & mask; break;
  }
  return (below(2) ? f->sign : 0) | ((uint64_t)exponent << f->fraction) | fraction;
}

static uint64_t random_integer(void) {
  uint64_t value = next() >> below(64);
  switch (below(4)) {
    case 0: value = 1ull << below(64); value += below(5) - 2; break;
    case 1: value = (value >> 40) << below(41); value += below(3) - 1; break;
  }
  return below(2) ? -value : value;
}

static float f_of(uint64_t bits) { uint32_t low = bits; float x; memcpy(&x, &low, 4); return x; }
static double d_of(uint64_t bits) { double x; memcpy(&x, &bits, 8); return x; }
static uint64_t bits_of_f(float x) { uint32_t low; memcpy(&low, &x, 4); return low; }
static uint64_t bits_of_d(double x) { uint64_t bits; memcpy(&bits, &x, 8); return bits; }

enum operation {
  ADD, SUB, MUL, DIV, SQRT, MADD, MSUB, NMSUB, NMADD, MIN, MAX, EQ, LT, LE, CLASS,
  TO_W, TO_WU, TO_L, TO_LU, FROM_W, FROM_WU, FROM_L, FROM_LU, CONVERT
};
static const char *const names[] = {
  "fadd", "fsub", "fmul", "fdiv", "fsqrt", "fmadd", "fmsub", "fnmsub", "fnmadd", "fmin", "fmax", "feq", "flt", "fle",
  "fclass", "fcvt.w", "fcvt.wu", "fcvt.l", "fcvt.lu"
};
static const char *const integers[] = {"w", "wu", "l", "lu"};

/* One operation under the current mode, with the processor's instructions. Sources are volatile: nothing is folded. */
#define NATIVE(NAME, TYPE, SUFFIX)                                           \
  static TYPE NAME(enum operation op, TYPE x, TYPE y, TYPE z, uint64_t i) {  \
    volatile TYPE a = x, b = y, c = z, r = 0;                                \
    volatile uint64_t n = i;                                                 \
    switch (op) {                                                            \
      case ADD: r = a + b; break;                                            \
      case SUB: r = a - b; break;                                            \
      case MUL: r = a * b; break;                                            \
      case DIV: r = a / b; break;                                            \
      case SQRT: r = sqrt##SUFFIX(a); break;                                 \
      case MADD: r = fma##SUFFIX(a, b, c); break;                            \
      case MSUB: r = fma##SUFFIX(a, b, -c); break;                           \
      case NMSUB: r = fma##SUFFIX(-a, b, c); break;                          \
      case NMADD: r = fma##SUFFIX(-a, b, -c); break;                         \
      case FROM_W: r = (TYPE)(int32_t)n; break;                              \
      case FROM_WU: r = (TYPE)(int64_t)(uint32_t)n; break;                   \
      case FROM_L: r = (TYPE)(int64_t)n; break;                              \
      default: break;                                                        \
    }                                                                        \
    return r;                                                                \
  }
NATIVE(native_f, float, f)
NATIVE(native_d, double, )

static long double sixty_four(enum operation op, long double x, long double y, long double z, uint64_t i) {
  volatile long double a = x, b = y, c = z;
  switch (op) {
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case SQRT: return sqrtl(a);
    case MADD: return fmal(a, b, c);
    case MSUB: return fmal(a, b, -c);
    case NMSUB: return fmal(-a, b, c);
    case NMADD: return fmal(-a, b, -c);
    case FROM_W: return (int32_t)i;
    case FROM_WU: return (uint32_t)i;
    case FROM_L: return (int64_t)i;
    case FROM_LU: return (long double)i;
    default: return a;
  }
}

/* Nearest with ties away: `even` is the result with ties to even, between `down` and `up`. */
static long double ties_away(long double even, long double down, long double up, enum operation op, long double a,
                             long double b, long double c, uint64_t i) {
  if (down == up || !isfinite(down) || !isfinite(up)) return even;
  feclearexcept(FE_ALL_EXCEPT);
  long double exact = sixty_four(op, a, b, c, i);
  int inexact = fetestexcept(FE_INEXACT);
  long double middle = (down + up) / 2;
  if (inexact || exact != middle) return even;
  return fabsl(up) > fabsl(down) ? up : down;
}

/* Unsigned 64-bit integers have no instruction: converts half of one, with a sticky bit so that it is rounded once. */
static uint64_t halved(uint64_t i) { return (i >> 1) | (i & 1); }

static uint64_t rounded(const struct format *f, enum operation op, int mode, const uint64_t *s, unsigned *raised) {
  int is_single = f == &single;
  uint64_t result = 0, even = 0, down = 0, up = 0;
  const int modes[] = {mode, RNE, RDN, RUP};
  uint64_t *const results[] = {&result, &even, &down, &up};
  long double a, b, c;
  int from_double = op == CONVERT && is_single;
  if (op == CONVERT) {
    a = is_single ? d_of(s[0]) : f_of(s[0]);
    b = c = 0;
  } else {
    a = is_single ? f_of(s[0]) : d_of(s[0]);
    b = is_single ? f_of(s[1]) : d_of(s[1]);
    c = is_single ? f_of(s[2]) : d_of(s[2]);
  }
  int large = op == FROM_LU && (int64_t)s[0] < 0;
  enum operation signed_op = op == FROM_LU ? FROM_L : op;
  uint64_t integer = large ? halved(s[0]) : s[0];
  for (int index = 0; index < (mode == RMM ? 4 : 1); index++) {
    start(modes[index]);
    uint64_t bits;
    if (op == CONVERT) {
      volatile double wide = from_double ? d_of(s[0]) : 0;
      volatile float narrow = from_double ? 0 : f_of(s[0]);
      if (from_double) { narrow = (float)wide; bits = bits_of_f(narrow); }
      else { wide = narrow; bits = bits_of_d(wide); }
    } else if (is_single) {
      float r = native_f(signed_op, f_of(s[0]), f_of(s[1]), f_of(s[2]), integer);
      bits = bits_of_f(large ? 2 * r : r);
    } else {
      double r = native_d(signed_op, d_of(s[0]), d_of(s[1]), d_of(s[2]), integer);
      bits = bits_of_d(large ? 2 * r : r);
    }
    unsigned all = flags();
    if (index == 0) *raised = all;
    *results[index] = bits;
  }
  if (is_nan(f, result)) return canonical(f);
  if (mode != RMM) return result;
  long double e = is_single ? f_of(even) : d_of(even), d = is_single ? f_of(down) : d_of(down),
              u = is_single ? f_of(up) : d_of(up);
  long double away = ties_away(e, d, u, op, a, b, c, s[0]);
  _mm_setcsr(0x1f80);
  if (away == e) return even;
  return is_single ? bits_of_f(away) : bits_of_d(away);
}

static uint64_t to_integer(const struct format *f, enum operation op, int mode, uint64_t x, unsigned *raised) {
  long double value = f == &single ? f_of(x) : d_of(x), whole;
  long double minimum = op == TO_W ? -0x1p31L : op == TO_L ? -0x1p63L : 0;
  long double limit = op == TO_W ? 0x1p31L : op == TO_WU ? 0x1p32L : op == TO_L ? 0x1p63L : 0x1p64L;
  uint64_t result;
  *raised = 0;
  switch (mode) {
    case RNE: whole = rintl(value); break;
    case RTZ: whole = truncl(value); break;
    case RDN: whole = floorl(value); break;
    case RUP: whole = ceill(value); break;
    default: whole = roundl(value); break;
  }
  if (isnan(value) || whole >= limit) {
    *raised = NV;
    result = op == TO_W ? 0x7fffffff : op == TO_WU ? 0xffffffff : op == TO_L ? INT64_MAX : UINT64_MAX;
  } else if (whole < minimum) {
    *raised = NV;
    result = op == TO_W || op == TO_L ? (uint64_t)(int64_t)minimum : 0;
  } else {
    if (whole != value) *raised = NX;
    result = whole < 0 ? (uint64_t)(int64_t)whole : (uint64_t)whole;
  }
  return op == TO_W || op == TO_WU ? (uint64_t)(int64_t)(int32_t)result : result;
}

static uint64_t compared(const struct format *f, enum operation op, uint64_t x, uint64_t y, unsigned *raised) {
  volatile double a = f == &single ? 0 : d_of(x), b = f == &single ? 0 : d_of(y);
  volatile float c = f == &single ? f_of(x) : 0, d = f == &single ? f_of(y) : 0;
  int result = 0;
  start(RNE);
  if (f == &single) result = op == EQ ? c == d : op == LT ? c < d : c <= d;
  else result = op == EQ ? a == b : op == LT ? a < b : a <= b;
  *raised = flags();
  return result;
}

static uint64_t extremum(const struct format *f, enum operation op, uint64_t x, uint64_t y, unsigned *raised) {
  *raised = is_signaling(f, x) || is_signaling(f, y) ? NV : 0;
  if (is_nan(f, x)) return is_nan(f, y) ? canonical(f) : y;
  if (is_nan(f, y)) return x;
  double a = f == &single ? f_of(x) : d_of(x), b = f == &single ? f_of(y) : d_of(y);
  int first = a < b || (a == b && signbit(a) > signbit(b));
  return (op == MIN) == first ? x : y;
}

static uint64_t class(const struct format *f, uint64_t x) {
  int negative = (x & f->sign) != 0;
  if (is_nan(f, x)) return is_signaling(f, x) ? 1 << 8 : 1 << 9;
  switch (f == &single ? fpclassify(f_of(x)) : fpclassify(d_of(x))) {
    case FP_INFINITE: return negative ? 1 << 0 : 1 << 7;
    case FP_NORMAL: return negative ? 1 << 1 : 1 << 6;
    case FP_SUBNORMAL: return negative ? 1 << 2 : 1 << 5;
    default: return negative ? 1 << 3 : 1 << 4;
  }
}

static int parse(const char *name, enum operation *op, const struct format **from, const struct format **to) {
  const char *dot = strrchr(name, '.');
  if (dot == NULL) return 0;
  const struct format *f = dot[1] == 's' ? &single : &doubled;
  *from = *to = f;
  for (int index = 0; index <= TO_LU; index++) {
    if (strlen(names[index]) == (size_t)(dot - name) && strncmp(name, names[index], dot - name) == 0) {
      *op = index;
      return 1;
    }
  }
  for (int index = 0; index < 4; index++) {
    if (strcmp(dot + 1, integers[index]) == 0) {
      *op = FROM_W + index;
      *from = *to = name[5] == 's' ? &single : &doubled;
      return 1;
    }
  }
  *op = CONVERT;
  *to = name[5] == 's' ? &single : &doubled;
  return 1;
}

int main(int argc, char **argv) {
  enum operation op;
  const struct format *from, *to;
  if (argc != 5 || !parse(argv[1], &op, &from, &to)) {
    fprintf(stderr, "usage: float-reference INSTRUCTION MODE COUNT SEED\n");
    return 2;
  }
  int fixed_mode = atoi(argv[2]);
  long count = atol(argv[3]);
  state = strtoull(argv[4], NULL, 10);
  setvbuf(stdout, NULL, _IOFBF, 1 << 20);
  int from_integer = op >= FROM_W && op <= FROM_LU;
  for (long done = 0; done < count; done++) {
    struct { uint64_t sources[3], result; uint32_t mode, flags; } record;
    uint64_t s[3], result;
    unsigned raised = 0;
    int mode = fixed_mode >= 0 ? fixed_mode : (int)below(5);
    for (int index = 0; index < 3; index++) s[index] = random_bits(from);
    if (below(2)) s[1] = related(from, s[0]);
    if (op >= MADD && op <= NMADD && below(2)) {
      /* An addend near the product. */
      uint64_t product = from == &single ? bits_of_f(f_of(s[0]) * f_of(s[1])) : bits_of_d(d_of(s[0]) * d_of(s[1]));
      s[2] = related(from, product);
    }
    if (op == CONVERT && to == &single && below(2)) {
      /* Exponents of singles, and digits near the halfway point between two. */
      int exponent = 1023 - 160 + below(320);
      s[0] = (s[0] & doubled.sign) | ((uint64_t)exponent << 52) | (random_fraction(&doubled) & ~0x1fffffffull) |
             (below(2) ? 0x0fffffff + below(3) : next() & 0x1fffffff);
    }
    if (op >= TO_W && op <= TO_LU && below(2)) {
      /* Around the limits, and with halves. */
      long double value = (long double)(int64_t)random_integer() / (1 << below(3));
      s[0] = from == &single ? bits_of_f(value) : bits_of_d(value);
    }
    for (int index = 0; index < 3; index++) {
      record.sources[index] = s[index];
      if (from != &single) continue;
      /* A few registers without a boxed single, which are the canonical NaN. */
      if (below(64) == 0) {
        record.sources[index] |= next() << 32 & ~(1ull << 40);
        s[index] = canonical(&single);
      } else {
        record.sources[index] |= 0xffffffff00000000;
      }
    }
    if (from_integer) record.sources[0] = s[0] = random_integer();
    switch (op) {
      case MIN: case MAX: result = extremum(to, op, s[0], s[1], &raised); break;
      case EQ: case LT: case LE: result = compared(from, op, s[0], s[1], &raised); break;
      case CLASS: result = class(from, s[0]); break;
      case TO_W: case TO_WU: case TO_L: case TO_LU: result = to_integer(from, op, mode, s[0], &raised); break;
      default: result = rounded(to, op, mode, s, &raised); break;
    }
    if (op >= MADD && op <= NMADD) {
      /* Infinity by zero is invalid even with a quiet NaN as addend (unprivileged ISA, section 13.6). */
      uint64_t a = magnitude(from, s[0]), b = magnitude(from, s[1]);
      if ((a == from->infinity && b == 0) || (b == from->infinity && a == 0)) raised |= NV;
    }
    int to_register = (op >= EQ && op <= TO_LU);
    record.result = !to_register && to == &single ? result | 0xffffffff00000000 : result;
    record.mode = mode;
    record.flags = raised;
    if (fwrite(&record, sizeof record, 1, stdout) != 1) return 1;
  }
  return fflush(stdout) == 0 ? 0 : 1;
}
