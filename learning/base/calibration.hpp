#pragma once

#include "learning/base/archive.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace gnomon::learning {

/// Guesses whose time is not over. Some have come true, the others may still do. They keep a calibration from lagging
/// behind by the whole time that outcomes take.
class open_outcomes {
public:
  /// `passed`: the share, 0 to 1, of the reads expected within the guess's time that would have come by now.
  void add(float logit, bool came_true, float passed);

private:
  friend class calibrator;
  static constexpr size_t steps = 8;
  struct bin {
    double hits = 0, sum = 0;
    std::array<double, steps> waiting{}; // by the share that has passed
  };
  std::vector<bin> bins_;
};

/// Turns logits into probabilities that agree with what came true: isotonic regression (Zadrozny and Elkan 2002) over
/// blocks of at least 200 outcomes, with a sigmoid (Platt 1999) as the prior where outcomes are few. Old outcomes fade
/// as new ones come in, so it follows changes. Not thread-safe.
class calibrator {
public:
  /// `memory`: how many outcomes count, about; at least a thousand.
  calibrator() : calibrator(50'000) {}
  explicit calibrator(double memory);

  /// Adds one outcome. Fits again by itself at 125 outcomes, at each doubling, and then every thousand.
  void add(float logit, bool came_true);
  /// Fits to the outcomes so far. Without any, it uses the sigmoid of the logit itself.
  void fit();
  /// The same, including open guesses in place of those of the last call. A guess that is still waiting counts as true
  /// with the chance that is left to it (self-consistency: Efron 1967).
  void fit(open_outcomes open);
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
  friend class open_outcomes;
  static size_t bin_of(float logit);
  std::vector<bin> completed() const;
  void fit_once(const std::vector<bin>& bins);
  void fit_sigmoid(const std::vector<bin>& bins);
  double sigmoid(double logit) const;
  static std::vector<block> blocks(const std::vector<bin>& bins);

  double memory_;
  std::vector<bin> bins_;
  open_outcomes open_;
  std::vector<point> curve_; // by logit
  double slope_ = 1, offset_ = 0;
  size_t added_ = 0;
};

/// Stated probabilities against what came true, in tenths: shows whether a probability can be trusted.
class calibration_table {
public:
  struct row {
    double said = 0, came_true = 0; // means
    size_t count = 0;
  };
  void add(float probability, bool came_true);
  std::vector<row> rows() const;
  /// Mean distance between stated and true shares, weighted by count (expected calibration error).
  double error() const;

private:
  std::vector<row> sums_ = std::vector<row>(10);
};

} // namespace gnomon::learning
