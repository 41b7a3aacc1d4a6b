#pragma once

#include "learning/archive.hpp"

#include <cstddef>
#include <vector>

namespace gnomon::learning {

/// Turns logits into probabilities that mean what they say, from what came true: isotonic regression (Zadrozny and
/// Elkan 2002) over blocks of at least 200 outcomes, with a sigmoid (Platt 1999) as the prior where outcomes are few.
/// Outcomes fade as newer ones of the same size come in, so it follows a world that changes. Not thread-safe.
class calibrator {
public:
  calibrator();

  /// One outcome; refits by itself at 125, at each doubling, and then every few thousand.
  void add(float logit, bool came_true);
  /// Fits to the outcomes so far. Without any, the sigmoid of the logit itself is believed.
  void fit();
  /// Probability, 0 to 1, never falling as the logit grows.
  float operator()(float logit) const;
  /// Outcomes given so far, faded ones included.
  size_t outcomes() const {
    return added_;
  }

  void save(writer& out) const;
  void load(reader& in);

private:
  struct bin {
    double count = 0, hits = 0, sum = 0; // sum: of logits
  };
  struct point {
    float logit = 0, probability = 0;
  };
  struct block {
    double count = 0, hits = 0, sum = 0;
  };
  static size_t bin_of(float logit);
  void fit_sigmoid();
  double sigmoid(double logit) const;
  std::vector<block> blocks() const;

  std::vector<bin> bins_;
  std::vector<point> curve_; // by logit
  double slope_ = 1, offset_ = 0;
  size_t added_ = 0;
};

/// What was said against what came true, in tenths: the table that shows whether a probability can be trusted.
class calibration_table {
public:
  struct row {
    double said = 0, came_true = 0; // means
    size_t count = 0;
  };
  void add(float probability, bool came_true);
  std::vector<row> rows() const;
  /// Mean distance between said and came true, weighted by count (expected calibration error).
  double error() const;

private:
  std::vector<row> sums_ = std::vector<row>(10);
};

} // namespace gnomon::learning
