#include "runtime/replay/synthetic.hpp"

#include "runtime/replay/random_source.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <tuple>

namespace gnomon::replay {

namespace {

struct reader_region {
  std::string_view name;
  double share;     // of all readers
  double utc_hours; // its time of day minus that of Greenwich
};

constexpr std::array<reader_region, 5> regions{{{"us-east-1", 0.30, -5},
                                                {"sa-east-1", 0.18, -3},
                                                {"eu-central-1", 0.26, 1},
                                                {"ap-south-1", 0.14, 5.5},
                                                {"ap-northeast-1", 0.12, 9}}};

constexpr size_t world_topics = 3; // read everywhere
constexpr size_t own_topics = 4;   // of each region
constexpr size_t topic_count = world_topics + own_topics * regions.size();
constexpr size_t stories_per_topic = 10;
constexpr size_t reader_count = 3'000;
constexpr double day = 86'400;
constexpr double front_page_seconds = 3'600;

/// The topics that a region reads, the most popular first.
using topic_order = std::array<size_t, world_topics + own_topics>;

struct reader {
  size_t home = 0;
  size_t away = 0; // where he is in the middle half of the day
  std::array<size_t, 2> favourites{};
};

std::vector<double> zipf(size_t n, double exponent) {
  std::vector<double> weights(n);
  for (size_t i = 0; i < n; ++i)
    weights[i] = std::pow(static_cast<double>(i + 1), -exponent);
  return weights;
}

/// Makes the reads of one day in the order of time.
class news_day {
public:
  explicit news_day(uint64_t seed) : random_(seed) {
    for (size_t region = 0; region < regions.size(); ++region)
      tastes_[region] = taste_of(region);
    for (size_t i = 0; i < reader_count; ++i)
      add_reader();
  }

  raw_read read_at(double t) {
    auto number = reader_awake_at(t);
    auto& who = readers_[number];
    auto region = t < day / 4 || t >= day * 3 / 4 ? who.home : who.away;
    return {t, "reader-" + std::to_string(number), std::string{regions[region].name}, story_at(topic_for(who), t)};
  }

private:
  /// World topics and the region's own, shuffled.
  topic_order taste_of(size_t region) {
    topic_order order;
    std::iota(order.begin(), order.begin() + world_topics, 0);
    std::iota(order.begin() + world_topics, order.end(), world_topics + region * own_topics);
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random_.below(i)]);
    return order;
  }

  void add_reader() {
    std::array<double, regions.size()> shares;
    for (size_t i = 0; i < regions.size(); ++i)
      shares[i] = regions[i].share;
    reader who;
    who.home = random_.weighted(shares);
    who.away = random_.chance(0.04) ? random_.below(regions.size()) : who.home;
    for (auto& topic : who.favourites)
      topic = favourite_in(who.home);
    by_home_[who.home].push_back(readers_.size());
    readers_.push_back(who);
  }

  size_t reader_awake_at(double t) {
    std::array<double, regions.size()> weights;
    for (size_t i = 0; i < regions.size(); ++i) {
      auto hours_from_peak = t / 3600 + regions[i].utc_hours - 20;
      weights[i] = regions[i].share * (1 + 2.0 / 3 * std::cos(hours_from_peak * std::numbers::pi / 12));
    }
    const auto& awake = by_home_[random_.weighted(weights)];
    return awake[readers_by_zeal_.draw(random_, awake.size())];
  }

  size_t favourite_in(size_t region) {
    return tastes_[region][topics_by_rank_.draw(random_)];
  }

  size_t topic_for(reader& who) {
    if (!random_.chance(0.7))
      return favourite_in(who.home);
    auto& topic = who.favourites[random_.below(who.favourites.size())];
    if (random_.chance(0.025))
      topic = favourite_in(who.home);
    return topic;
  }

  /// The most popular place of a topic's front page passes from story to story.
  std::string story_at(size_t topic, double t) {
    auto rank = stories_by_rank_.draw(random_);
    auto turn = static_cast<size_t>(t / front_page_seconds);
    auto story = (turn + stories_per_topic - rank) % stories_per_topic;
    return "story/" + std::to_string(topic) + '/' + std::to_string(story);
  }

  random_source random_;
  std::array<topic_order, regions.size()> tastes_;
  weighted_choice topics_by_rank_{zipf(std::tuple_size_v<topic_order>, 1.0)};
  weighted_choice stories_by_rank_{zipf(stories_per_topic, 1.1)};
  weighted_choice readers_by_zeal_{zipf(reader_count, 0.6)};
  std::vector<reader> readers_;
  std::array<std::vector<size_t>, regions.size()> by_home_;
};

} // namespace

trace synthetic_trace(const synthetic_options& options) {
  trace result;
  result.source = "synthetic day (seed " + std::to_string(options.seed) + ")";
  news_day made(options.seed);
  random_source times(options.seed ^ 0x74696D6573u);
  // One read in each of equal slices of the day, so that the count is exact and the times are sorted.
  auto slice = day / static_cast<double>(std::max<uint64_t>(options.reads, 1));
  for (uint64_t i = 0; i < options.reads; ++i) {
    result.add(made.read_at((static_cast<double>(i) + times.uniform()) * slice), i + 1);
    ++result.counts.lines;
    if ((i + 1) % reads_per_update == 0) // of a story read lately, chosen by how often
      result.updates.push_back({result.reads.back().t, result.reads[i - times.below(reads_per_update)].item});
  }
  result.finish();
  return result;
}

} // namespace gnomon::replay
