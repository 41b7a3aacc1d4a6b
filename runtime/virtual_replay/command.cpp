#include "runtime/virtual_replay/command.hpp"

#include "runtime/base/printable.hpp"
#include "runtime/base/process.hpp"
#include "runtime/replay/costs.hpp"
#include "runtime/replay/mapping.hpp"
#include "runtime/replay/progress.hpp"
#include "runtime/virtual_replay/graphic.hpp"
#include "runtime/virtual_replay/options.hpp"
#include "runtime/virtual_replay/report.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <unistd.h>

namespace gnomon::virtual_replay {

namespace {

constexpr auto program = "gnomon replay";

const std::vector<std::string>& usual_policies() {
  static const std::vector<std::string> names{"origin",     "ttl-24h", "break-even", "no-expiry",
                                              "everywhere", "markov",  "top-100",    "full"};
  return names;
}

expected<learning::price_table> prices_of(const options& wanted) {
  learning::price_table table;
  if (wanted.egress_usd_per_gb >= 0 || wanted.storage_usd_per_gb_month >= 0) {
    learning::region_price price;
    if (wanted.egress_usd_per_gb >= 0)
      price.egress_usd_per_gb = wanted.egress_usd_per_gb;
    if (wanted.storage_usd_per_gb_month >= 0)
      price.storage_usd_per_gb_month = wanted.storage_usd_per_gb_month;
    return learning::price_table::flat(price).with_storage_times(wanted.storage_times);
  }
  auto loaded = replay::prices_from(wanted.prices);
  if (!loaded)
    return loaded.error();
  return loaded->with_storage_times(wanted.storage_times);
}

expected<replay::round_trips> distances_of(const options& wanted) {
  if (!wanted.round_trips.empty())
    return replay::round_trips::load(wanted.round_trips);
  if (auto file = find_config("five-regions/round-trips.csv"); !file.empty())
    return replay::round_trips::load(file);
  return replay::round_trips{};
}

expected<replay::trace> trace_of(const options& wanted) {
  if (wanted.trace.empty())
    return replay::synthetic_trace(wanted.synthetic);
  auto reads = replay::load_trace(wanted.trace, {.limit = wanted.limit, .regions = wanted.scene.regions});
  if (!reads)
    return reads.error();
  if (reads->regions.size() == 1 && reads->regions[0].empty())
    return make_error(ec::invalid_argument, "the trace does not say where its readers are; name the regions of the "
                                            "cluster with --regions, and readers are spread over them");
  return reads;
}

std::vector<std::string> notes_on(const replay::trace& reads) {
  std::vector<std::string> notes;
  if (reads.counts.malformed > 0)
    notes.push_back(fmt::format("{} lines could not be understood and were skipped", reads.counts.malformed));
  if (reads.counts.no_reads() > 0)
    notes.push_back(
        fmt::format("{} requests are no reads: {}", reads.counts.no_reads(), reads.counts.no_reads_in_words()));
  if (reads.spread > 0)
    notes.push_back(fmt::format("{} readers' regions are not known: spread by a hash of their address", reads.spread));
  return notes;
}

int refused(const caf::error& why) {
  complain(program, sentence_of(why));
  return 1;
}

int run(const options& wanted) {
  auto reads = trace_of(wanted);
  if (!reads)
    return refused(reads.error());
  auto prices = prices_of(wanted);
  if (!prices)
    return refused(prices.error());
  auto distances = distances_of(wanted);
  if (!distances)
    return refused(distances.error());
  auto on = make_scene(*reads, *distances, *prices, wanted.scene);
  if (!on)
    return refused(on.error());
  page_facts facts{reads->source, notes_on(*reads), ceiling_local_share(*on)};
  *reads = {}; // as large as the scene

  const auto clairvoyant = play_clairvoyant(*on);
  std::vector<outcome> rows;
  replay::progress shown{isatty(STDERR_FILENO) == 0};
  for (const auto& name : wanted.policies.empty() ? usual_policies() : wanted.policies) {
    if (name == clairvoyant.policy) {
      rows.push_back(clairvoyant);
      continue;
    }
    auto with = make_policy(name, *on);
    if (!with)
      return refused(with.error());
    rows.push_back(play(*on, name, **with,
                        [&](double share) { shown.update(name, static_cast<uint64_t>(share * 1000), 1000, {}); }));
  }
  shown.finish({});
  if (!wanted.report.empty())
    if (auto wrong = report::write_html(wanted.report, graphic(*on, rows, facts)))
      return refused(wrong);
  const auto json = [&] { return to_json(rows, clairvoyant, facts).dump(2) + "\n"; };
  print_text(wanted.json ? json() : printable(to_page(*on, rows, clairvoyant, facts), "\n"));
  return finish_output(program, 0);
}

} // namespace

int replay_command(const std::vector<std::string>& arguments) {
  auto wanted = parse_options(arguments);
  if (!wanted) {
    complain(program, sentence_of(wanted.error()) + "; gnomon replay --help explains");
    return 2;
  }
  if (wanted->help) {
    print_text(help_text());
    return finish_output(program, 0);
  }
  return run(*wanted);
}

} // namespace gnomon::virtual_replay
