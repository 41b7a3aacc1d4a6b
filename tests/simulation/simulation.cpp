#include "tests/simulation/simulation.hpp"

#include "runtime/base/ids.hpp"
#include "storage/keys.hpp"
#include "tests/simulation/audit.hpp"
#include "tests/simulation/faults.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::simulation {

namespace {

settings node_settings(deliberate_fault fault) {
  settings config;
  config.shadow_ttl = 40s;
  config.shadow_idle = 12s;
  config.join_timeout = 15s;
  config.read_index_bytes = 4u << 20;
  config.link_queue_messages = 4096;
  config.heartbeat = 2s;
  config.suspect_after = 4500ms;
  config.down_after = 6s;
  config.fresh_for = 6s;
  config.catalog_age = 4s;
  config.collect_every = 2s;
  config.compare_every = 5s;
  config.reap_after = 20s;
  config.repair_scan_every = 4s;
  config.detach_blocking = false;
  config.predict_users = config.predict_items = 1000;
  config.train_every = 0s;
  config.fault = fault;
  return config;
}

/// Limits that some runs meet and others do not.
settings drawn(settings config, dice& from) {
  config.stores = from.chance(30) ? static_cast<uint32_t>(from.between(2, 3)) : 1;
  if (from.chance(30))
    config.read_index_bytes = 16'000; // room for one small item in each of its parts
  if (from.chance(30))
    config.max_active_shadows = 6;
  if (from.chance(30))
    config.max_versions = 3;
  if (from.chance(25)) { // a copy costs as much as a read without it after 40 s
    config.shadow_ttl = adaptive_lifetime;
    config.usd_per_ms = 0;
    config.prices = learning::price_table::flat({.storage_usd_per_gb_month = 1300, .egress_usd_per_gb = 0.02});
  }
  if (from.chance(20))
    config.store_max_bytes = 150'000;
  config.durable_follows = from.chance(30);
  config.follow_after = 2;
  return config;
}

invariants promised(const settings& config) {
  invariants all;
  all.max_versions = config.max_versions;
  all.reap_after = config.reap_after;
  all.catalog_age = moment{config.catalog_age};
  all.delivery = config.fresh_for + 15s;
  return all;
}

/// One run: the parts in the order in which they depend on each other.
class simulation {
public:
  explicit simulation(const plan& what)
      : plan_((seed_random_u64(what.seed * 4 + 1), what)), dice_(what.seed), engine_(dice_.draw()),
        history_(engine_, promises_), cluster_(engine_, dice_.draw(), what.nodes, settings_, history_),
        clients_(engine_, dice_.draw(), cluster_, history_, make_ids(), patience),
        faults_(engine_, dice_.draw(), cluster_, clients_, history_, what.fault) {
    history_.latest = [this] { return cluster_.latest_clock(); };
    history_.earliest = [this] { return cluster_.earliest_clock(); };
    history_.whole_since = [this](int a, int b) { return cluster_.whole_since(a, b); };
    history_.reaches_all_since = [this](int node) { return cluster_.reaches_all_since(node); };
    history_.reaches_since = [this](int node, int other) { return cluster_.reaches_since(node, other); };
    history_.last_absence = [this](int node) { return cluster_.last_absence(node); };
    history_.last_writer_wins = [](const std::string& id) { // now and then, at least
      return id.rfind("lww/", 0) == 0 || id.rfind("fickle/", 0) == 0;
    };
    history_.min_copies = [this](const std::string& id) {
      return cluster_.context_of(0)->effective_policy(id, {}).min_copies;
    };
    history_.rules_of = [this](int node) {
      auto& context = cluster_.context_of(node);
      return context && cluster_.up(node) ? context->policies.get() : nullptr;
    };
    history_.forbidden = [this](int node, const std::string& id, const std::string& user) {
      auto& context = cluster_.context_of(node);
      return context && !context->effective_policy(id, user).allows(context->self.region);
    };
  }

  ~simulation() {
    engine_.stop();
  }

  outcome run() {
    begin();
    schedule();
    auto step = moment{1'000'000};
    auto heals = plan_.settling + plan_.active;
    for (auto t = engine_.now(); t < heals && !history_.broken(); t += step) {
      engine_.run_until(t + step);
      look_around();
    }
    if (!history_.broken())
      faults_.heal();
    for (auto t = heals; t < heals + plan_.quiet && !history_.broken(); t += step) {
      engine_.run_until(t + step);
      look_around();
      if (t > heals + plan_.quiet / 2)
        watch_memory();
    }
    if (!history_.broken())
      finish();
    return result();
  }

private:
  static constexpr auto patience = duration{12'500}; // longer than any request may take

  std::vector<std::string> make_ids() const {
    std::vector<std::string> ids;
    for (size_t i = 0; i < plan_.ids; ++i)
      ids.push_back(fmt::format("{}/{}",
                                i % 8 == 4   ? "moved"
                                : i % 8 == 5 ? "fickle"
                                : i % 8 == 6 ? "lww"
                                : i % 8 == 7 ? "kept"
                                             : "plain",
                                i));
    return ids;
  }

  void put_rule(const std::string& type, const std::string& text) {
    engine_.asker()
        ->request(cluster_.router_of(0), caf::infinite, put_policy{policy_scope::type, type, text})
        .then([](const policy_list&) {}, [](const caf::error&) {});
  }

  void begin() {
    late_ = dice_.chance(25) ? static_cast<int>(cluster_.size()) - 1 : outside;
    if (late_ != outside)
      cluster_.last_is_no_seed();
    for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
      if (node != late_)
        cluster_.boot(node);
    engine_.run_until(plan_.settling / 2);
    put_rule("lww", R"({"conflicts": "lww"})");
    put_rule("kept", R"({"residency": ["region-0", "region-1", "region-2"]})");
    engine_.run_until(plan_.settling);
    for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
      actors_at_rest_.push_back(engine_.alive(node == late_ ? 0 : node) + (late_ != outside)); // and one more link
  }

  void schedule() {
    auto anywhen = [this] { return plan_.settling + dice_.between(moment{0}, plan_.active - moment{1}); };
    if (late_ != outside)
      engine_.at(anywhen(), [this] {
        history_.tell({}, "** " + node_name(late_) + " joins the cluster");
        cluster_.boot(late_);
      });
    for (size_t i = 0; i < plan_.operations; ++i)
      engine_.at(anywhen(), [this] { clients_.act(); });
    for (size_t i = 0; i < plan_.faults; ++i)
      engine_.at(anywhen(), [this] {
        faults_.strike();
        ++struck_;
      });
    for (size_t i = 0; i < plan_.guesses; ++i)
      engine_.at(anywhen(), [this] { faults_.guess(); });
    for (auto t = plan_.settling; t < plan_.settling + plan_.active; t += moment{45'000'000})
      engine_.at(t, [this] { faults_.take_images(); });
  }

  void finish() {
    check_memory();
    audit_nodes(); // before the last reads make copies everywhere
    for (const auto& id : make_ids())
      for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
        clients_.read(id, node);
    engine_.run_until(engine_.now() + moment{20'000'000});
    for (auto more = 6; more > 0 && !history_.has_converged(); --more) // leases that end meanwhile are being told
      engine_.run_until(engine_.now() + moment{1'000'000});
    if (clients_.open() > 0)
      history_.accuse("no request hangs beyond its time", {}, "reads after the end were not answered");
    history_.check_end();
    audit_nodes();
    check_followers();
  }

  /// At every second of a run.
  void look_around() {
    if (follows_)
      clients_.follow_on();
    faults_.look_after();
    for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
      if (cluster_.up(node))
        history_.note_rules(node);
    history_.note_meetings();
    for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
      for (const auto& id : clients_.ids())
        if (auto& context = cluster_.context_of(node); context && cluster_.up(node) && context->index.peek(id))
          history_.check_ready(node, id);
  }

  void check_followers() {
    std::set<int> there;
    for (int node = 0; node < static_cast<int>(cluster_.size()); ++node)
      if (cluster_.up(node))
        there.insert(node);
    if (follows_ && !history_.broken())
      clients_.check_followers(there);
  }

  void audit_nodes() {
    audit audit{engine_, cluster_, make_ids()};
    std::optional<violation> wrong;
    for (auto more = 8; more > 0 && !history_.broken(); --more) { // a lease that ends meanwhile is being told
      audit.ask();
      engine_.run_until(engine_.now() + moment{1'000'000});
      if (!(wrong = audit.judge()))
        return;
    }
    if (wrong)
      history_.accuse(wrong->invariant, wrong->id, wrong->sentence);
  }

  /// Some shadow may be awake at any moment; not one for ever.
  void watch_memory() {
    fewest_actors_.resize(cluster_.size(), SIZE_MAX);
    for (size_t node = 0; node < cluster_.size(); ++node)
      fewest_actors_[node] = std::min(fewest_actors_[node], engine_.alive(static_cast<int>(node)));
  }

  void check_memory() {
    for (int node = 0; node < static_cast<int>(cluster_.size()); ++node) {
      auto& disk = cluster_.disk_of(node);
      for (auto hint = disk.seen().lower_bound("h"); hint != disk.seen().end() && hint->first.front() == 'h'; ++hint)
        if (auto id = hint->first.substr(hint->first.find('\0') + 1); promises_.hints_go && !history_.is_unsound(id))
          history_.accuse("hints are settled in the end", id,
                          node_name(node) + " still owes " + hint->first.substr(1, 2));
      auto reminded = std::count_if(disk.records().begin(), disk.records().end(), // now and then to forget the item
                                    [this](const auto& entry) { return history_.has_to_stay(*entry.second); });
      reminded += std::count_if(clients_.ids().begin(), clients_.ids().end(), // and a copy that nobody can mend to try
                                [this](const std::string& id) { return history_.is_unsound(id); });
      auto most = actors_at_rest_[static_cast<size_t>(node)] + static_cast<size_t>(reminded);
      auto alive = fewest_actors_[static_cast<size_t>(node)];
      if (promises_.memory_returns && alive > most)
        history_.accuse("memory returns to where it was", {},
                        fmt::format("{} has at least {} actors where {} were at the start:{}", node_name(node), alive,
                                    actors_at_rest_[static_cast<size_t>(node)], engine_.names_alive(node)));
    }
  }

  outcome result() {
    outcome end;
    end.broken = history_.broken();
    if (end.broken)
      end.story = history_.story(end.broken->id);
    end.trace = engine_.trace();
    end.steps = engine_.steps();
    end.faults = struck_;
    for (const auto& op : history_.operations()) {
      end.acknowledged += op->end == op_end::done && op->kind != op_kind::read;
      end.answered += op->end == op_end::done && op->kind == op_kind::read;
    }
    return end;
  }

  plan plan_;
  dice dice_;
  settings settings_ = drawn(node_settings(plan_.fault), dice_);
  invariants promises_ = promised(settings_);
  engine engine_;
  history history_;
  cluster cluster_;
  clients clients_;
  faults faults_;
  std::vector<size_t> actors_at_rest_;
  std::vector<size_t> fewest_actors_; // in the second half of the quiet time
  bool follows_ = dice_.chance(30);
  int late_ = outside; // a node that joins while clients are at work
  size_t struck_ = 0;
};

} // namespace

outcome simulate(const plan& what) {
  return simulation{what}.run();
}

std::vector<std::pair<std::string_view, deliberate_fault>> all_faults() {
  using fault = deliberate_fault;
  return {
      {"skip_sync", fault::skip_sync},
      {"publish_before_sync", fault::publish_before_sync},
      {"reap_on_lease_expiry", fault::reap_on_lease_expiry},
      {"reuse_dot_after_drop", fault::reuse_dot_after_drop},
      {"reuse_dot_after_lost_disk", fault::reuse_dot_after_lost_disk},
      {"reuse_dot_after_snapshot", fault::reuse_dot_after_snapshot},
      {"install_fetched_over_update", fault::install_fetched_over_update},
      {"accept_without_joining", fault::accept_without_joining},
      {"expire_unreplicated_write", fault::expire_unreplicated_write},
      {"demote_two_at_once", fault::demote_two_at_once},
      {"serve_index_after_freeze", fault::serve_index_after_freeze},
      {"forget_context", fault::forget_context},
      {"reuse_generation", fault::reuse_generation},
      {"absent_for_unreachable", fault::absent_for_unreachable},
      {"absent_by_old_catalog", fault::absent_by_old_catalog},
      {"freshness_not_carried", fault::freshness_not_carried},
      {"delete_without_asking", fault::delete_without_asking},
      {"ignore_new_residency", fault::ignore_new_residency},
  };
}

std::optional<deliberate_fault> fault_from(std::string_view name) {
  for (auto& [known, fault] : all_faults())
    if (known == name)
      return fault;
  return std::nullopt;
}

} // namespace gnomon::simulation
