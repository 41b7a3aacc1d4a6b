#pragma once

namespace gnomon::learning {

/// Decides which guesses are worth a copy ahead of its first read. A guess passes as long as the share of copies that
/// go unread stays within its bound. Copies without an outcome yet count by their confidence, corrected by the measured
/// ones, so likely copies make room for less likely ones. Pure. Not thread-safe.
class prefetch_threshold {
public:
  /// `confidence`: the threshold never falls below it. `waste`: the largest share of the copies that may go unread.
  prefetch_threshold(double confidence, double waste) : confidence_(confidence), waste_(waste) {}

  /// Of what is said, how much came true in a measurement, at most 1. It is believed until outcomes tell; without a
  /// measurement, that is 0.7.
  void believe(double honesty);
  /// The least confidence that passes now.
  double threshold() const;
  bool worth(double confidence) const {
    return confidence >= threshold();
  }
  /// A copy of that confidence was made. Its outcome is open.
  void issue(double confidence);
  /// That copy did not arrive after all.
  void withdraw(double confidence);
  /// The outcome of a copy: it was read, or its lease ended unread. Both are told when the lease ends: reads come
  /// first, and would make the open copies look likelier than they are.
  void settle(double confidence, bool used);
  /// Share of wasted copies among the last few thousand outcomes; 0 before the first.
  double wasted_share() const;

private:
  /// Which part of the stated confidence comes true; at most 1.
  double honesty() const;

  double confidence_, waste_;
  double doubt_ = 0.7;
  double open_ = 0, open_said_ = 0;           // copies without an outcome yet, and the sum of their confidences
  double outcomes_ = 0, used_ = 0, said_ = 0; // these fade; said_: the sum of the confidences of outcomes_
};

} // namespace gnomon::learning
