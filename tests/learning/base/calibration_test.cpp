#define CAF_SUITE calibration
#include "learning/base/calibration.hpp"

#include <caf/test/dsl.hpp>

#include <limits>

using namespace gnomon::learning;

namespace {

constexpr auto no_number = std::numeric_limits<float>::quiet_NaN();

calibrator taught() {
  calibrator made;
  for (auto i = 0; i < 2000; ++i)
    made.add(static_cast<float>(i % 8) - 6, i % 3 == 0);
  made.fit();
  return made;
}

/// A file of a calibration whose bins are all the same.
bool is_read(double count, double hits, double sum) {
  struct {
    double count, hits, sum;
  } const bin{count, hits, sum};
  writer out;
  out.put(uint64_t{160});
  for (auto i = 0; i < 160; ++i)
    out.put(bin);
  out.put(uint64_t{1000});
  const auto bytes = out.take();
  reader in{bytes};
  calibrator loaded;
  loaded.load(in);
  return in.good();
}

} // namespace

CAF_TEST(what_is_no_number_claims_nothing_and_teaches_nothing) {
  auto model = taught();
  const auto before = model(-3);
  CAF_CHECK_EQUAL(model(no_number), 0.0f);
  CAF_CHECK_EQUAL(calibrator{}(no_number), 0.0f);
  model.add(no_number, true);
  model.fit();
  CAF_CHECK_EQUAL(model(-3), before);
  open_outcomes open;
  open.add(no_number, false, 0.5f);
  model.fit(std::move(open));
  CAF_CHECK_EQUAL(model(-3), before);
}

CAF_TEST(counts_that_no_outcomes_make_are_refused) {
  const auto nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  CAF_CHECK(is_read(0, 0, 0));
  CAF_CHECK(is_read(10, 5, -30));
  CAF_CHECK(!is_read(nan, 0, 0));
  CAF_CHECK(!is_read(10, nan, 0));
  CAF_CHECK(!is_read(10, 5, nan));
  CAF_CHECK(!is_read(infinite, 5, 0));
  CAF_CHECK(!is_read(-1, 0, 0));
  CAF_CHECK(!is_read(10, 20, 0));
  CAF_CHECK(!is_read(10, 5, 1e9));
}
