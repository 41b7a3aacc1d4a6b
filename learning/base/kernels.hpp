#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// The few loops that take most of the time in training and inference. They are compiled for several instruction sets,
/// and the right one is chosen when the program is loaded. They work on plain arrays, and never allocate or fail.
namespace gnomon::learning {

/// Sixteen floats at once. GCC and Clang lower it to whatever the processor has.
using float16 = float __attribute__((vector_size(64)));
inline constexpr size_t lanes = 16;

inline constexpr size_t padded(size_t n) {
  return (n + lanes - 1) / lanes * lanes;
}

/// Weights of one gated recurrent layer, as views: `wx` is inputs x 3 units, `wh` units x 3 units (gates in the order
/// reset, update, candidate), `bx` and `bh` 3 units each.
struct gru_view {
  size_t inputs = 0;
  size_t units = 0;
  const float* wx = nullptr;
  const float* wh = nullptr;
  const float* bx = nullptr;
  const float* bh = nullptr;
};

/// h' of one step (Cho et al. 2014, the variant with the reset gate inside): `state` holds `units` floats and is
/// updated in place; `scratch` holds 6 x units floats. Units must be a multiple of 16.
void gru_step(const gru_view& gru, const float* input, float* state, float* scratch);

/// The element-wise half of a forward step over `rows` sequences. `input` and `hidden` are the two products with the
/// weights, 3 x units a row (`hidden` gets its bias added, `input` rows are `input_stride` apart); `gates` receives the
/// activated gates, `next` the new states.
void gru_gates_forward(size_t rows, size_t units, const float* input, size_t input_stride, const float* bx,
                       const float* bh, float* hidden, const float* state, float* gates, float* next);

/// The element-wise half of a backward step: `d_state` holds dL/dh of the step's output and leaves with the part that
/// passes straight to the previous state; `d_hidden` and `d_input` receive the gradients of the two products.
void gru_gates_backward(size_t rows, size_t units, const float* gates, const float* hidden, const float* state,
                        float* d_state, float* d_hidden, float* d_input, size_t input_stride);

/// out[i] = query . rows[i] + bias[i] for `count` rows of `width` floats (a multiple of 16), one after the other.
void score_rows(const float* rows, const float* bias, size_t count, size_t width, const float* query, float* out);

/// The same for rows picked by index.
void score_picked(const float* rows, const float* bias, const uint32_t* picked, size_t count, size_t width,
                  const float* query, float* out);

/// x := exp(x - max(x)) over `count` floats; returns their sum. `top` receives the maximum.
float exp_in_place(float* x, size_t count, float& top);

/// x := x * scale.
void scale(float* x, size_t count, float factor);

/// y += a * x.
void add_scaled(float* y, const float* x, float a, size_t count);

/// One Adam step (Kingma and Ba 2015) on one row; `step` counts from 1 for this row.
void adam_row(float* weights, float* first, float* second, const float* gradient, size_t count, float rate,
              uint32_t step);

/// A dense layer with a rectifier on `count` samples in columns: x[i * stride + sample]; `weights` is inputs x outputs.
/// `count` is rounded up to 16; both arrays must have room for it. `rectify` false gives the plain affine map.
void dense_columns(const float* x, float* y, size_t stride, size_t count, const float* weights, const float* bias,
                   size_t inputs, size_t outputs, bool rectify);

/// x := log(x + floor) for positive x, to about 1e-6: features, not finance.
void log_in_place(float* x, size_t count, float floor);

} // namespace gnomon::learning
