#define CAF_SUITE agreement
#include "tests/virtual_replay/traces.hpp"

#include <caf/test/dsl.hpp>

#include <cmath>
#include <filesystem>
#include <iostream>

using namespace gnomon;
using namespace gnomon::virtual_replay;

namespace {

/// Traces that do not belong to the repository; whoever has them puts them beside it.
const std::filesystem::path data = std::filesystem::path{GNOMON_SOURCE} / "../shared/data";

std::optional<scene> scene_from(const std::string& file, const std::string& origin) {
  const auto path = data / file, distances = data / "aws_rtt_p50_ms.csv";
  if (!std::filesystem::exists(path) || !std::filesystem::exists(distances)) {
    std::cerr << "skipped: " << path << " is not there\n";
    return std::nullopt;
  }
  auto reads = replay::load_trace(path, {});
  auto table = replay::round_trips::load(distances);
  CAF_REQUIRE(reads && table);
  auto result = make_scene(*reads, *table, learning::price_table::flat({}), {.regions = {}, .origin = origin});
  CAF_REQUIRE(result);
  return std::move(*result);
}

/// As another implementation of the same rules has them; negative: not compared.
struct figures {
  std::string policy;
  double local_percent, mean_ms, copies = -1, p99_ms = -1, moves = -1;
};

void compare(const scene& on, const figures& wanted) {
  const auto got = played(on, wanted.policy);
  auto agree = [&](const char* what, double x, double y, double within) {
    if (y >= 0 && !(std::abs(x - y) <= within))
      CAF_ERROR(wanted.policy << ": " << what << " is " << x << " instead of " << y);
  };
  agree("the local share", 100 * got.local_share, wanted.local_percent, 0.02);
  agree("the mean", got.mean_ms, wanted.mean_ms, 0.02);
  agree("the number of copies", got.copies_per_item, wanted.copies, 0.01);
  agree("p99", got.p99_ms, wanted.p99_ms, 0.1);
  agree("moves", got.moves_per_100_reads, wanted.moves, 0.01);
}

} // namespace

CAF_TEST(news_clicks_give_the_figures_of_an_independent_implementation) {
  const auto on = scene_from("globo-a.csv.gz", "sa-east-1");
  if (!on)
    return;
  CAF_CHECK_EQUAL(on->items.size(), 25'339u);
  compare(*on, {"origin", 33.30, 128.24});
  compare(*on, {"ttl-24h", 96.61, 5.87, 1.33, 178.1, 3.39});
  compare(*on, {"no-expiry", 97.13, 4.95, 2.33});
  CAF_CHECK_LESS(std::abs(100 * ceiling_local_share(*on) - 98.98), 0.02);
}

CAF_TEST(check_ins_give_the_figures_of_an_independent_implementation) {
  const auto on = scene_from("gowalla.csv.gz", "us-east-1");
  if (!on)
    return;
  compare(*on, {"origin", 34.13, -1});
  compare(*on, {"ttl-24h", 60.35, 37.06});
  compare(*on, {"no-expiry", 99.81, 1.20, 1.61});
}
