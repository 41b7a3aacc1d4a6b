#include "runtime/virtual_replay/baselines.hpp"

#include "learning/economy/copy_value.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace gnomon::virtual_replay {

namespace {

constexpr double for_good = std::numeric_limits<double>::infinity();

class origin_policy : public policy {
public:
  void read(copies&, const scene_read&, size_t, bool) override {}
};

class fixed_policy : public policy {
public:
  explicit fixed_policy(double keep_s) : keep_s_(keep_s) {}
  void read(copies& world, const scene_read& read, size_t, bool) override {
    world.keep(read.item, read.region, read.t, keep_s_);
  }

protected:
  double keep_s_;
};

class break_even_policy : public policy {
public:
  explicit break_even_policy(const scene& on) : on_(on) {}
  void read(copies& world, const scene_read& read, size_t, bool) override {
    const auto other = world.nearest(read.item, read.region, read.t);
    const learning::copy_costs costs{.hold_usd_per_s = on_.hold_usd_per_s(read.item, read.region),
                                     .miss_usd = on_.move_usd(read.item, other) + on_.waiting_usd(read.region, other)};
    world.keep(read.item, read.region, read.t, costs.break_even_s());
  }

private:
  const scene& on_;
};

class everywhere_policy : public fixed_policy {
public:
  explicit everywhere_policy(const scene& on) : fixed_policy(for_good), on_(on), known_(on.items.size(), 0) {}
  void read(copies& world, const scene_read& read, size_t holder, bool measured) override {
    fixed_policy::read(world, read, holder, measured);
    if (std::exchange(known_[read.item], true))
      return;
    for (size_t region = 0; region < on_.regions.size(); ++region)
      world.push(read.item, region, read.t, for_good, measured);
  }

private:
  const scene& on_;
  std::vector<char> known_; // by item
};

class markov_policy : public fixed_policy {
public:
  markov_policy(const scene& on, double keep_s)
      : fixed_policy(keep_s), last_(on.users, nothing), followers_(on.items.size()) {}

  void read(copies& world, const scene_read& read, size_t holder, bool measured) override {
    fixed_policy::read(world, read, holder, measured);
    if (const auto before = std::exchange(last_[read.user], read.item); before != nothing && before != read.item)
      followers_[before].add(read.item);
    const auto& next = followers_[read.item];
    if (next.best_count * 10 >= next.all && next.all > 0)
      world.push(next.best, read.region, read.t, keep_s_, measured);
  }

private:
  static constexpr uint32_t nothing = UINT32_MAX;
  struct following {
    std::unordered_map<uint32_t, uint32_t> counts;
    uint32_t all = 0, best = 0, best_count = 0;
    void add(uint32_t item) {
      ++all;
      if (auto count = ++counts[item]; count > best_count) {
        best = item;
        best_count = count;
      }
    }
  };
  std::vector<uint32_t> last_;
  std::vector<following> followers_;
};

class top_policy : public fixed_policy {
public:
  top_policy(const scene& on, size_t count, double keep_s)
      : fixed_policy(keep_s), on_(on), count_(count), reads_(on.items.size(), 0.0f) {}

  void read(copies& world, const scene_read& read, size_t holder, bool measured) override {
    fixed_policy::read(world, read, holder, measured);
    reads_[read.item] += 1;
    if (read.t < next_)
      return;
    next_ = read.t + 3600;
    push_best(world, read.t, measured);
  }

private:
  void push_best(copies& world, double now, bool measured) {
    std::vector<uint32_t> order;
    for (uint32_t item = 0; item < reads_.size(); ++item)
      if (reads_[item] > 0.01f)
        order.push_back(item);
    const auto count = std::min(count_, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(count), order.end(),
                      [&](auto a, auto b) { return reads_[a] != reads_[b] ? reads_[a] > reads_[b] : a < b; });
    for (size_t k = 0; k < count; ++k)
      for (size_t region = 0; region < on_.regions.size(); ++region)
        world.push(order[k], region, now, keep_s_, measured);
    for (auto& reads : reads_)
      reads *= 0.97f; // a day later half of it is left
  }

  const scene& on_;
  size_t count_;
  double next_ = 0;
  std::vector<float> reads_;
};

} // namespace

std::unique_ptr<policy> origin_only() {
  return std::make_unique<origin_policy>();
}
std::unique_ptr<policy> fixed_lifetime(double keep_s) {
  return std::make_unique<fixed_policy>(keep_s);
}
std::unique_ptr<policy> break_even(const scene& on) {
  return std::make_unique<break_even_policy>(on);
}
std::unique_ptr<policy> everywhere(const scene& on) {
  return std::make_unique<everywhere_policy>(on);
}
std::unique_ptr<policy> markov(const scene& on, double keep_s) {
  return std::make_unique<markov_policy>(on, keep_s);
}
std::unique_ptr<policy> top_items(const scene& on, size_t count, double keep_s) {
  return std::make_unique<top_policy>(on, count, keep_s);
}

} // namespace gnomon::virtual_replay
