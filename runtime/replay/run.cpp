#include "runtime/replay/run.hpp"

#include "runtime/base/json_text.hpp"
#include "runtime/base/printable.hpp"
#include "runtime/base/process.hpp"
#include "runtime/replay/load.hpp"
#include "runtime/replay/mapping.hpp"
#include "runtime/replay/pace.hpp"
#include "runtime/replay/pass.hpp"
#include "runtime/replay/report.hpp"
#include "runtime/replay/work_folder.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace fs = std::filesystem;

namespace {

// -- where things are -------------------------------------------------------------------------------------------------

/// The configs of the five regions: from here, from the build folder or as installed.
expected<fs::path> find_configs(const options& wanted) {
  if (!wanted.configs.empty())
    return wanted.configs;
  if (auto place = find_config("five-regions"); !place.empty())
    return place;
  return make_error(ec::not_found, "there is no folder configs/five-regions here; name one with --configs DIR");
}

// -- what both commands do --------------------------------------------------------------------------------------------

/// A trace, laid over a cluster.
struct prepared {
  trace reads;
  load_plan plan; // without targets' addresses when the nodes do not run yet
  run_facts facts;
  pace speed;
};

std::vector<cluster_region> regions_of(const std::vector<target>& targets) {
  std::vector<cluster_region> regions;
  for (const auto& node : targets)
    regions.push_back(node.region);
  return regions;
}

expected<trace> get_trace(const options& wanted, const std::vector<cluster_region>& cluster,
                          const round_trips& distances) {
  if (wanted.trace.empty())
    return synthetic_trace(wanted.synthetic);
  trace_options how;
  how.limit = wanted.limit;
  for (const auto& region : cluster)
    how.regions.push_back(region.name);
  if (wanted.locations.empty())
    return load_trace(wanted.trace, how);
  auto places = reader_places::open(wanted.locations, cluster, distances);
  if (!places)
    return places.error();
  how.places = places->get();
  return load_trace(wanted.trace, how);
}

/// What a speed does to the figures when distances, which do not shrink, become long beside the trace's own times.
void note_speed(prepared& job, double round_trip_ms) {
  constexpr double noteworthy_s = 600;
  auto there = round_trip_ms / 1e3 * job.speed.time_scale;
  if (there > noteworthy_s)
    job.facts.notes.push_back(fmt::format(
        "leases shrink with the trace, distances do not: at this speed the mean round trip to the origin, {:.0f} "
        "ms, is as long as {} of the trace",
        round_trip_ms, in_words(std::chrono::seconds{static_cast<int64_t>(there)})));
}

expected<std::unique_ptr<prepared>> prepare(const options& wanted, std::vector<target> targets,
                                            const round_trips& distances) {
  auto cluster = regions_of(targets);
  auto loaded = get_trace(wanted, cluster, distances);
  if (!loaded)
    return loaded.error();
  auto job = std::make_unique<prepared>();
  job->reads = std::move(*loaded);
  auto homes = map_regions(job->reads, cluster);
  if (!homes)
    return homes.error();
  auto counts = reads_by_home(job->reads, *homes, cluster.size());
  auto origin = choose_origin(wanted.origin, cluster, counts);
  if (!origin)
    return origin.error();
  auto round_trip = mean_round_trip_ms(cluster, counts, *origin, distances);
  job->speed = wanted.time_scale > 0 ? given_pace(wanted.time_scale, job->reads.reads, round_trip)
                                     : choose_pace(job->reads.reads, round_trip);
  job->facts = {job->reads.source,
                job->reads.items.size(),
                job->reads.users.size(),
                cluster[*origin].name,
                job->speed.time_scale,
                wanted.value_bytes,
                trace_notes(job->reads, *homes, cluster)};
  note_speed(*job, round_trip);
  job->plan.reads = &job->reads;
  job->plan.homes = std::move(*homes);
  job->plan.targets = std::move(targets);
  job->plan.origin = *origin;
  job->plan.time_scale = job->speed.time_scale;
  job->plan.value_bytes = wanted.value_bytes;
  return job;
}

caf::error write_json(const options& wanted, const nlohmann::json& figures) {
  auto text = json_text(figures, 2) + '\n';
  if (wanted.json == "-") {
    print_text(text);
    return {};
  }
  std::ofstream out(wanted.json, std::ios::trunc);
  out << text << std::flush;
  if (!out)
    return make_error(ec::store_failed, "cannot write " + wanted.json.string());
  return {};
}

expected<bool> publish(const options& wanted, const prepared& job, const pass_report& first,
                       const std::optional<pass_report>& second) {
  if (wanted.json != "-")
    print_text(printable(page(job.facts, first, second), "\n"));
  if (!wanted.json.empty())
    if (auto wrong = write_json(wanted, figures_json(job.facts, first, second)))
      return wrong;
  return first.failures.empty() && (!second || second->failures.empty());
}

// -- run --------------------------------------------------------------------------------------------------------------

/// Fresh nodes for one pass, which are stopped again in the end whatever happens.
expected<pass_report> run_pass(event_loop& loop, prepared& job, cluster_options nodes, progress& shown,
                               const std::string& title) {
  shown.update(title + ": starting nodes", 0, 1, "");
  auto cluster = local_cluster::start(loop, nodes);
  if (!cluster)
    return cluster.error();
  job.plan.targets = (*cluster)->targets();
  loop.watch([&] { return (*cluster)->check(); });
  auto report = play_pass(loop, job.plan, shown, title);
  loop.watch(nullptr);
  (*cluster)->stop();
  return report;
}

/// Nodes of which only the origin ever holds an item: nothing is copied when written, when read, or ahead of a read.
std::vector<std::string> origin_only(std::vector<std::string> settings) {
  for (auto setting :
       {"placement.factor=1", "placement.min_copies=1", "placement.shadow_on_read=false", "prediction.enabled=false"})
    settings.emplace_back(setting);
  return settings;
}

std::string with_settings(const std::string& title, const fs::path& configs, const std::vector<std::string>& settings) {
  auto set = settings.empty() ? "nothing set" : fmt::format("{}", fmt::join(settings, ", "));
  return fmt::format("{} ran with the configs in {}, and {}", title, configs.string(), set);
}

/// A pass is what its title says only while its nodes hold nothing elsewhere.
void check_origin_only(pass_report& pass) {
  if (pass.copies_per_item <= 1.0 && pass.ahead == 0)
    return;
  pass.failures.push_back(fmt::format("{:.2f} copies per item, {} made ahead: items lay outside of the origin",
                                      pass.copies_per_item, grouped(pass.ahead)));
}

std::string announcement(const prepared& job, bool baseline) {
  auto passes = job.speed.pass_seconds + (baseline ? job.speed.baseline_seconds : 0);
  std::string text;
  for (const auto& [line, reason] : job.reads.counts.complaints)
    text += fmt::format("{} line {}: {}\n", job.facts.source, line, reason);
  if (job.reads.counts.malformed > job.reads.counts.complaints.size())
    text +=
        fmt::format("{}: {} lines could not be understood\n", job.facts.source, grouped(job.reads.counts.malformed));
  return text
         + fmt::format("{}: {} reads of {} items, written in {}; {:.0f} times as fast as it happened, about {}",
                       job.facts.source, grouped(job.reads.reads.size()), grouped(job.facts.items), job.facts.origin,
                       job.facts.time_scale, in_words(std::chrono::seconds{static_cast<int64_t>(passes)}));
}

/// The trace, laid over the nodes that the configs describe.
expected<std::unique_ptr<prepared>> prepare_run(const options& wanted, const fs::path& configs) {
  auto nodes = read_node_configs(configs);
  if (!nodes)
    return nodes.error();
  auto distances = wanted.delays ? distances_of(configs) : expected<round_trips>{round_trips{}};
  if (!distances)
    return distances.error();
  std::vector<target> targets;
  for (const auto& node : *nodes)
    targets.push_back({node.region, {}});
  return prepare(wanted, std::move(targets), *distances);
}

expected<bool> run_passes(const options& wanted, prepared& job, cluster_options nodes, const fs::path& work) {
  event_loop loop;
  progress shown(wanted.quiet);
  shown.finish(announcement(job, wanted.baseline));
  nodes.work = work / "with-shadows";
  job.facts.notes.push_back(with_settings("with shadows", nodes.configs, nodes.settings));
  auto first = run_pass(loop, job, nodes, shown, "with shadows");
  if (!first)
    return first.error();
  if (!wanted.baseline)
    return publish(wanted, job, *first, std::nullopt);
  nodes.work = work / "origin-only";
  nodes.settings = origin_only(wanted.settings);
  job.facts.notes.push_back(with_settings("origin only", nodes.configs, nodes.settings));
  auto second = run_pass(loop, job, nodes, shown, "origin only");
  if (!second)
    return second.error();
  check_origin_only(*second);
  return publish(wanted, job, *first, *second);
}

expected<bool> run(const options& wanted) {
  auto configs = find_configs(wanted);
  if (!configs)
    return configs.error();
  auto job = prepare_run(wanted, *configs);
  if (!job)
    return job.error();
  auto work = work_folder::make(wanted.keep);
  if (!work)
    return work.error();
  cluster_options nodes;
  nodes.gnomond = (wanted.bin.empty() ? own_folder() : wanted.bin) / "gnomond";
  nodes.configs = *configs;
  nodes.time_scale = (*job)->speed.time_scale;
  nodes.delays = wanted.delays;
  nodes.settings = wanted.settings;
  return run_passes(wanted, **job, nodes, (*work)->path());
}

// -- load -------------------------------------------------------------------------------------------------------------

expected<bool> load(const options& wanted) {
  auto job = prepare(wanted, wanted.targets, {});
  if (!job)
    return job.error();
  event_loop loop;
  progress shown(wanted.quiet);
  shown.finish(announcement(**job, false));
  auto report = play_pass(loop, (*job)->plan, shown, "reading");
  if (!report)
    return report.error();
  return publish(wanted, **job, *report, std::nullopt);
}

constexpr auto program = "gnomon-replay";

/// An error that a look at the arguments would have shown; the others are the world's.
bool is_usage(const caf::error& wrong) {
  return code_of(wrong) == ec::invalid_argument;
}

int complain(const std::string& sentence, int status) {
  gnomon::complain(program, sentence);
  return status;
}

} // namespace

int replay_main(const std::vector<std::string>& arguments) {
  auto wanted = parse_options(arguments);
  if (!wanted)
    return complain(sentence_of(wanted.error()) + "\nTry gnomon-replay --help.", 2);
  if (wanted->what == options::command::help) {
    print_text(help_text());
    return finish_output(program, 0);
  }
  if (!wanted->json.empty() && wanted->json != "-" && !std::ofstream(wanted->json, std::ios::app))
    return complain("--json: cannot write " + wanted->json.string(), 2);
  auto good = wanted->what == options::command::run ? run(*wanted) : load(*wanted);
  if (!good)
    return complain(sentence_of(good.error()), is_usage(good.error()) ? 2 : 1);
  return finish_output(program, *good ? 0 : 1);
}

} // namespace gnomon::replay
