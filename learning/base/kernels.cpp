#include "learning/base/kernels.hpp"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)                  \
    && !defined(__SANITIZE_THREAD__)
#define GNOMON_KERNEL __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GNOMON_KERNEL
#endif
// Helpers are forced inline so that each clone compiles them for its own instruction set.
#define GNOMON_INLINE __attribute__((always_inline)) inline

namespace gnomon::learning {

namespace {

constexpr size_t usual_width = 64; // known when compiled, its loops are unrolled

// exp by splitting off the power of two; the remainder, at most ln(2)/2 in size, takes a Taylor polynomial.
GNOMON_INLINE float fast_exp(float x) {
  x = std::min(std::max(x, -87.0f), 87.0f);
  float power = __builtin_rintf(x * 1.44269504f);
  float rest = x - power * 0.693147181f;
  float y = 1.0f + rest * (1.0f + rest * (0.5f + rest * (1.0f / 6 + rest * (1.0f / 24 + rest * (1.0f / 120)))));
  int32_t bits = (static_cast<int32_t>(power) + 127) << 23;
  float two;
  std::memcpy(&two, &bits, sizeof two);
  return y * two;
}

GNOMON_INLINE float sigmoid(float x) {
  return 1.0f / (1.0f + fast_exp(-x));
}

GNOMON_INLINE float tangent(float x) {
  return 1.0f - 2.0f / (fast_exp(2.0f * x) + 1.0f);
}

GNOMON_INLINE void load(float16& v, const float* p) {
  std::memcpy(&v, p, sizeof v);
}

GNOMON_INLINE void store(float* p, const float16& v) {
  std::memcpy(p, &v, sizeof v);
}

// Halved four times: one lane after the other takes four times as long as all the products of a row.
GNOMON_INLINE float sum_of(const float16& lanes16) {
  using float8 = float __attribute__((vector_size(32)));
  using float4 = float __attribute__((vector_size(16)));
  float8 low8, high8;
  std::memcpy(&low8, &lanes16, sizeof low8);
  std::memcpy(&high8, reinterpret_cast<const char*>(&lanes16) + sizeof low8, sizeof high8);
  low8 += high8;
  float4 low4, high4;
  std::memcpy(&low4, &low8, sizeof low4);
  std::memcpy(&high4, reinterpret_cast<const char*>(&low8) + sizeof low4, sizeof high4);
  low4 += high4;
  return (low4[0] + low4[2]) + (low4[1] + low4[3]);
}

GNOMON_INLINE float dot_product(const float* a, const float* b, size_t width) {
  float16 sum{};
  for (size_t i = 0; i < width; i += lanes) {
    float16 x, y;
    load(x, a + i);
    load(y, b + i);
    sum += x * y;
  }
  return sum_of(sum);
}

// Blocks of a width known when compiled stay in registers; the callers below finish with blocks of one.
template <size_t N>
GNOMON_INLINE void affine_block(const float* weights, const float* bias, const float* x, size_t inputs, size_t width,
                                float* out) {
  float16 sum[N];
  for (size_t b = 0; b < N; ++b)
    load(sum[b], bias + b * lanes);
  for (size_t i = 0; i < inputs; ++i)
    for (size_t b = 0; b < N; ++b) {
      float16 w;
      load(w, weights + i * width + b * lanes);
      sum[b] += w * x[i];
    }
  for (size_t b = 0; b < N; ++b)
    store(out + b * lanes, sum[b]);
}

// out[0..width) = bias + sum over i of x[i] * weights[i][0..width)
GNOMON_INLINE void affine(const float* weights, const float* bias, const float* x, size_t inputs, size_t width,
                          float* out) {
  size_t j = 0;
  for (; j + 4 * lanes <= width; j += 4 * lanes)
    affine_block<4>(weights + j, bias + j, x, inputs, width, out + j);
  for (; j < width; j += lanes)
    affine_block<1>(weights + j, bias + j, x, inputs, width, out + j);
}

template <size_t N>
GNOMON_INLINE void dense_block(const float* x, float* y, size_t stride, const float* weights, const float* bias,
                               size_t inputs, size_t outputs, bool rectify) {
  const float16 zero{};
  float16 sum[N];
  for (size_t b = 0; b < N; ++b)
    sum[b] = zero + bias[b];
  for (size_t i = 0; i < inputs; ++i) {
    float16 v;
    load(v, x + i * stride);
    for (size_t b = 0; b < N; ++b)
      sum[b] += v * weights[i * outputs + b];
  }
  for (size_t b = 0; b < N; ++b)
    store(y + b * stride, rectify ? (sum[b] > zero ? sum[b] : zero) : sum[b]);
}

} // namespace

GNOMON_KERNEL void gru_step(const gru_view& gru, const float* input, float* state, float* scratch) {
  const size_t n = gru.units;
  float* a = scratch;
  float* g = scratch + 3 * n;
  affine(gru.wx, gru.bx, input, gru.inputs, 3 * n, a);
  affine(gru.wh, gru.bh, state, n, 3 * n, g);
  for (size_t j = 0; j < n; ++j) {
    float reset = sigmoid(a[j] + g[j]);
    float update = sigmoid(a[n + j] + g[n + j]);
    float candidate = tangent(a[2 * n + j] + reset * g[2 * n + j]);
    state[j] = candidate + update * (state[j] - candidate);
  }
}

GNOMON_KERNEL void gru_gates_forward(size_t rows, size_t units, const float* input, size_t input_stride,
                                     const float* bx, const float* bh, float* hidden, const float* state, float* gates,
                                     float* next) {
  const size_t n = units;
  for (size_t i = 0; i < rows; ++i) {
    const float* __restrict a = input + i * input_stride;
    float* __restrict g = hidden + i * 3 * n;
    float* __restrict out = gates + i * 3 * n;
    const float* __restrict h = state + i * n;
    float* __restrict h1 = next + i * n;
    for (size_t j = 0; j < 3 * n; ++j)
      g[j] += bh[j];
    for (size_t j = 0; j < 2 * n; ++j)
      out[j] = sigmoid(a[j] + bx[j] + g[j]);
    for (size_t j = 0; j < n; ++j) {
      float candidate = tangent(a[2 * n + j] + bx[2 * n + j] + out[j] * g[2 * n + j]);
      out[2 * n + j] = candidate;
      h1[j] = candidate + out[n + j] * (h[j] - candidate);
    }
  }
}

GNOMON_KERNEL void gru_gates_backward(size_t rows, size_t units, const float* gates, const float* hidden,
                                      const float* state, float* d_state, float* d_hidden, float* d_input,
                                      size_t input_stride) {
  const size_t n = units;
  for (size_t i = 0; i < rows; ++i) {
    const float* __restrict r = gates + i * 3 * n;
    const float* __restrict z = r + n;
    const float* __restrict c = r + 2 * n;
    const float* __restrict g = hidden + i * 3 * n + 2 * n;
    const float* __restrict h = state + i * n;
    float* __restrict dh = d_state + i * n;
    float* __restrict dg = d_hidden + i * 3 * n;
    float* __restrict da = d_input + i * input_stride;
    for (size_t j = 0; j < n; ++j) {
      float dc = dh[j] * (1 - z[j]) * (1 - c[j] * c[j]);
      float dz = dh[j] * (h[j] - c[j]) * z[j] * (1 - z[j]);
      float dr = dc * g[j] * r[j] * (1 - r[j]);
      dg[j] = dr;
      dg[n + j] = dz;
      dg[2 * n + j] = dc * r[j];
      da[j] = dr;
      da[n + j] = dz;
      da[2 * n + j] = dc;
      dh[j] *= z[j];
    }
  }
}

GNOMON_KERNEL void score_rows(const float* rows, const float* bias, size_t count, size_t width, const float* query,
                              float* out) {
  if (width == usual_width)
    for (size_t i = 0; i < count; ++i)
      out[i] = dot_product(rows + i * usual_width, query, usual_width) + bias[i];
  else
    for (size_t i = 0; i < count; ++i)
      out[i] = dot_product(rows + i * width, query, width) + bias[i];
}

GNOMON_KERNEL void score_picked(const float* rows, const float* bias, const uint32_t* picked, size_t count,
                                size_t width, const float* query, float* out) {
  constexpr size_t ahead = 6;
  for (size_t i = 0; i < count; ++i) {
    if (i + ahead < count)
      for (size_t byte = 0; byte < width; byte += lanes)
        __builtin_prefetch(rows + size_t{picked[i + ahead]} * width + byte);
    out[i] = dot_product(rows + size_t{picked[i]} * width, query, width) + bias[picked[i]];
  }
}

GNOMON_KERNEL float exp_in_place(float* x, size_t count, float& top) {
  float highest[lanes];
  std::fill_n(highest, lanes, -3e38f);
  size_t whole = count / lanes * lanes;
  for (size_t i = 0; i < whole; i += lanes)
    for (size_t j = 0; j < lanes; ++j)
      highest[j] = x[i + j] > highest[j] ? x[i + j] : highest[j];
  top = *std::max_element(highest, highest + lanes);
  for (size_t i = whole; i < count; ++i)
    top = std::max(top, x[i]);
  float sums[lanes] = {};
  for (size_t i = 0; i < whole; i += lanes)
    for (size_t j = 0; j < lanes; ++j)
      sums[j] += x[i + j] = fast_exp(x[i + j] - top);
  float total = 0;
  for (size_t i = whole; i < count; ++i)
    total += x[i] = fast_exp(x[i] - top);
  for (float sum : sums)
    total += sum;
  return total;
}

GNOMON_KERNEL void scale(float* x, size_t count, float factor) {
  for (size_t i = 0; i < count; ++i)
    x[i] *= factor;
}

GNOMON_KERNEL void add_scaled(float* __restrict y, const float* __restrict x, float a, size_t count) {
  for (size_t i = 0; i < count; ++i)
    y[i] += a * x[i];
}

GNOMON_KERNEL void adam_row(float* __restrict weights, float* __restrict first, float* __restrict second,
                            const float* __restrict gradient, size_t count, float rate, uint32_t step) {
  constexpr float keep1 = 0.9f, keep2 = 0.999f;
  const float correct1 = 1 / (1 - std::pow(keep1, static_cast<float>(step)));
  const float correct2 = 1 / (1 - std::pow(keep2, static_cast<float>(step)));
  for (size_t i = 0; i < count; ++i) {
    first[i] = keep1 * first[i] + (1 - keep1) * gradient[i];
    second[i] = keep2 * second[i] + (1 - keep2) * gradient[i] * gradient[i];
    weights[i] -= rate * first[i] * correct1 / (__builtin_sqrtf(second[i] * correct2) + 1e-8f);
  }
}

GNOMON_KERNEL void dense_columns(const float* x, float* y, size_t stride, size_t count, const float* weights,
                                 const float* bias, size_t inputs, size_t outputs, bool rectify) {
  constexpr size_t group = 8;
  for (size_t k = 0; k < padded(count); k += lanes) {
    size_t j = 0;
    for (; j + group <= outputs; j += group)
      dense_block<group>(x + k, y + j * stride + k, stride, weights + j, bias + j, inputs, outputs, rectify);
    for (; j < outputs; ++j)
      dense_block<1>(x + k, y + j * stride + k, stride, weights + j, bias + j, inputs, outputs, rectify);
  }
}

GNOMON_KERNEL void log_in_place(float* x, size_t count, float floor) {
  for (size_t i = 0; i < count; ++i) {
    float v = x[i] + floor;
    int32_t bits;
    std::memcpy(&bits, &v, sizeof bits);
    // Mantissa taken to [sqrt(1/2), sqrt(2)), where the series of atanh converges fast.
    int32_t exponent = (bits - 0x3f3504f3) >> 23;
    bits -= exponent << 23;
    float m;
    std::memcpy(&m, &bits, sizeof m);
    float t = (m - 1) / (m + 1);
    float t2 = t * t;
    x[i] = exponent * 0.693147181f + 2 * t * (1 + t2 * (1.0f / 3 + t2 * (1.0f / 5 + t2 * (1.0f / 7))));
  }
}

} // namespace gnomon::learning
