#include "runtime/replay/run.hpp"

#include "runtime/base/process.hpp"
#include "runtime/replay/geo_dns.hpp"
#include "runtime/replay/pass.hpp"
#include "runtime/replay/prepare.hpp"
#include "runtime/replay/work_folder.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

#include <spdlog/fmt/fmt.h>

namespace gnomon::replay {

namespace fs = std::filesystem;

namespace {

// -- what both commands do --------------------------------------------------------------------------------------------

expected<bool> publish(const options& wanted, const prepared& job, const pass_report& first,
                       const std::optional<pass_report>& second) {
  if (auto wrong = publish_figures(wanted.json, page(job.facts, first, second), figures_json(job.facts, first, second)))
    return wrong;
  return first.failures.empty() && (!second || second->failures.empty());
}

// -- run --------------------------------------------------------------------------------------------------------------

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

expected<bool> run_passes(const options& wanted, prepared& job, cluster_options nodes, const fs::path& work) {
  event_loop loop;
  progress shown(wanted.quiet);
  shown.finish(announcement(job, wanted.baseline));
  nodes.work = work / "with-shadows";
  job.facts.notes.push_back(with_settings("with shadows", nodes.configs, nodes.settings));
  auto first = play_on_fresh_nodes(loop, job.plan, nodes, shown, "with shadows");
  if (!first)
    return first.error();
  if (!wanted.baseline)
    return publish(wanted, job, *first, std::nullopt);
  nodes.work = work / "origin-only";
  nodes.settings = origin_only(wanted.settings);
  job.facts.notes.push_back(with_settings("origin only", nodes.configs, nodes.settings));
  auto second = play_on_fresh_nodes(loop, job.plan, nodes, shown, "origin only");
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
  return run_passes(wanted, **job, nodes_for(wanted, *configs, (*job)->speed), (*work)->path());
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
  auto good = wanted->what == options::command::geo_dns ? run_geo_dns(*wanted)
              : wanted->what == options::command::run   ? run(*wanted)
                                                        : load(*wanted);
  if (!good)
    return complain(sentence_of(good.error()), is_usage(good.error()) ? 2 : 1);
  return finish_output(program, *good ? 0 : 1);
}

} // namespace gnomon::replay
