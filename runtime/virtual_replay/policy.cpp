#include "runtime/virtual_replay/policy.hpp"

#include "runtime/base/numbers.hpp"
#include "runtime/base/units.hpp"
#include "runtime/virtual_replay/baselines.hpp"
#include "runtime/virtual_replay/full.hpp"

namespace gnomon::virtual_replay {

namespace {

constexpr double day_s = 86'400;

double seconds_in(duration d) {
  return std::chrono::duration<double>(d).count();
}

} // namespace

const std::vector<named_policy>& known_policies() {
  static const std::vector<named_policy> table{
      {"origin", "no copies beyond the durable ones"},
      {"ttl-TIME", "a read leaves a copy that goes after TIME without a read, such as ttl-24h"},
      {"break-even", "the same, and TIME is when holding has cost as much as a miss"},
      {"no-expiry", "a read leaves a copy for good"},
      {"everywhere", "every item in every region"},
      {"markov", "ttl-24h, and the item that most often follows is copied ahead"},
      {"top-N", "ttl-24h, and once an hour the N most read items are copied everywhere, such as top-100"},
      {"adaptive", "adaptive lifetimes, no copies ahead"},
      {"full", "adaptive lifetimes, and copies ahead where they pay for themselves"},
  };
  return table;
}

expected<std::unique_ptr<policy>> make_policy(const std::string& name, const scene& on) {
  auto after = [&](std::string_view prefix) {
    return name.starts_with(prefix) ? std::string_view{name}.substr(prefix.size()) : std::string_view{};
  };
  if (name == "origin")
    return origin_only();
  if (name == "break-even")
    return break_even(on);
  if (name == "no-expiry")
    return fixed_lifetime(std::numeric_limits<double>::infinity());
  if (name == "everywhere")
    return everywhere(on);
  if (name == "markov")
    return markov(on, day_s);
  if (name == "adaptive" || name == "full")
    return std::unique_ptr<policy>{std::make_unique<full_policy>(on, name == "full")};
  if (const auto time = duration_from(after("ttl-")))
    return fixed_lifetime(seconds_in(*time));
  if (const auto count = parse_number<size_t>(after("top-")); count && *count > 0)
    return top_items(on, *count, day_s);
  std::string names;
  for (const auto& known : known_policies())
    names += (names.empty() ? "" : ", ") + known.name;
  return make_error(ec::invalid_argument, "there is no policy \"" + name + "\"; there are " + names);
}

} // namespace gnomon::virtual_replay
