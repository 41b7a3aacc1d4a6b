#include "runtime/replay/geo_dns.hpp"

#include "runtime/replay/geo_dns_report.hpp"
#include "runtime/replay/outage.hpp"
#include "runtime/replay/pass.hpp"
#include "runtime/replay/prepare.hpp"
#include "runtime/replay/resolver.hpp"
#include "runtime/replay/work_folder.hpp"

#include <nlohmann/json.hpp>

namespace gnomon::replay {

namespace {

/// What all steps of a run need.
struct stage {
  const options& wanted;
  prepared& job;
  cluster_options nodes;
  std::filesystem::path work;
  size_t victim = 0;
  event_loop loop;
  progress shown;
  geo_dns_report report;
};

expected<size_t> choose_victim(const options& wanted, const load_plan& plan) {
  if (wanted.kill.empty())
    return plan.origin;
  for (size_t i = 0; i < plan.targets.size(); ++i)
    if (plan.targets[i].region.name == wanted.kill)
      return i;
  return make_error(ec::invalid_argument, "--kill: there is no region " + wanted.kill);
}

caf::error play_by_region(stage& on) {
  on.nodes.work = on.work / "by-region";
  auto pass = play_on_fresh_nodes(on.loop, on.job.plan, on.nodes, on.shown, "by region");
  if (!pass)
    return pass.error();
  on.report.by_region = std::move(*pass);
  return {};
}

/// The cluster goes on after the pass, until a region of it has died.
caf::error play_by_name(stage& on, const round_trips& distances) {
  on.nodes.work = on.work / "by-name";
  auto cluster = local_cluster::start(on.loop, on.nodes);
  if (!cluster)
    return cluster.error();
  auto front = resolver::start(on.loop, on.work / "resolver", on.wanted.zone, (*cluster)->name_servers());
  if (!front)
    return front.error();
  auto& plan = on.job.plan;
  plan.targets = (*cluster)->targets();
  path_by_name path(on.loop, plan, (*front)->address(), on.wanted.zone, distances);
  plan.path = &path;
  on.loop.watch([&] { return (*cluster)->check(); });
  auto pass = play_pass(on.loop, plan, on.shown, "by name");
  on.loop.watch(nullptr);
  plan.path = nullptr;
  if (!pass)
    return pass.error();
  on.report.by_name = std::move(*pass);
  on.report.naming = path.figures();
  auto outage = watch_outage(on.loop, **cluster, path, plan, on.victim, on.shown);
  if (!outage)
    return outage.error();
  on.report.outage = std::move(*outage);
  return {};
}

} // namespace

expected<bool> run_geo_dns(const options& wanted) {
  auto configs = find_configs(wanted);
  if (!configs)
    return configs.error();
  auto job = prepare_run(wanted, *configs);
  if (!job)
    return job.error();
  auto distances = wanted.delays ? distances_of(*configs) : expected<round_trips>{round_trips{}};
  if (!distances)
    return distances.error();
  auto victim = choose_victim(wanted, (*job)->plan);
  if (!victim)
    return victim.error();
  auto work = work_folder::make(wanted.keep);
  if (!work)
    return work.error();
  auto nodes = nodes_for(wanted, *configs, (*job)->speed);
  stage on{wanted, **job, std::move(nodes), (*work)->path(), *victim, {}, progress(wanted.quiet), {}};
  on.nodes.zone = wanted.zone;
  on.shown.finish(announcement(on.job, false) + " for each of two passes");
  if (auto wrong = play_by_region(on))
    return wrong;
  if (auto wrong = play_by_name(on, *distances))
    return wrong;
  on.report.facts = on.job.facts;
  if (auto wrong = publish_figures(wanted.json, page(on.report), figures_json(on.report)))
    return wrong;
  return on.report.good();
}

} // namespace gnomon::replay
