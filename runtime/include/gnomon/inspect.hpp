#pragma once

#include "gnomon/abi.hpp"
#include "gnomon/client.hpp"
#include "gnomon/watch.hpp"

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>

#include <cstring>
#include <memory>
#include <optional>

/// How the types of `gnomon/client.hpp` travel in messages. `gnomon/actors.hpp` includes this.
namespace gnomon::inline GNOMON_ABI {

namespace detail {

/// A double that travels as its bits, because CAF 0.17 cannot pack infinity, NaN and -0.
struct real_view {
  double& value;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, real_view& x) {
  auto bits = std::make_shared<uint64_t>(0);
  std::memcpy(bits.get(), &x.value, sizeof x.value);
  if constexpr (Inspector::reads_state)
    return f(*bits);
  else
    return f(*bits, caf::meta::load_callback([&to = x.value, bits] {
      std::memcpy(&to, bits.get(), sizeof to);
      return caf::error{};
    }));
}

/// A value that may be missing: travels as a flag and a value.
template <class T>
struct optional_view {
  std::optional<T>& value;
};

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, optional_view<T>& x) {
  auto there = std::make_shared<bool>(x.value.has_value());
  auto value = std::make_shared<T>(x.value.value_or(T{}));
  auto travel = [&](auto& travelling) {
    if constexpr (Inspector::reads_state)
      return f(*there, travelling);
    else
      return f(*there, travelling, caf::meta::load_callback([&to = x.value, there, value] {
        to = *there ? std::optional<T>{*value} : std::nullopt;
        return caf::error{};
      }));
  };
  if constexpr (std::is_same_v<T, double>) {
    real_view bits{*value};
    return travel(bits);
  } else {
    return travel(*value);
  }
}

inline real_view travels(double& x) {
  return {x};
}
template <class T>
optional_view<T> travels(std::optional<T>& x) {
  return {x};
}
template <class T>
T& travels(T& x) {
  return x;
}

template <class Inspector, class... Ts>
typename Inspector::result_type all_of(Inspector& f, Ts&... xs) {
  return f(travels(xs)...);
}

} // namespace detail

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, done&) {
  return f();
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, item_version& x) {
  return detail::all_of(f, x.value, x.content_type, x.user, x.written, x.expires, x.bytes);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, item& x) {
  return detail::all_of(f, x.id, x.versions, x.context, x.etag, x.served_by, x.copy, x.stale, x.unchanged, x.offset);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_options& x) {
  return detail::all_of(f, x.user, x.context, x.if_changed, x.if_match, x.range, x.strong);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, put_options& x) {
  return detail::all_of(f, x.user, x.content_type, x.context, x.replace, x.if_absent, x.if_match, x.acks, x.expires,
                        x.request_id);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, put_receipt& x) {
  return detail::all_of(f, x.id, x.context, x.etag, x.created, x.acks, x.served_by, x.versions);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, item_entry& x) {
  return detail::all_of(f, x.id, x.bytes, x.content_type, x.role, x.versions);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, item_list& x) {
  return detail::all_of(f, x.items, x.more);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, item_counts& x) {
  return detail::all_of(f, x.here, x.everywhere, x.complete);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_read& x) {
  return detail::all_of(f, x.id, x.user, x.count);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, copy_plan& x) {
  return detail::all_of(f, x.node, x.region, x.role, x.present);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, shadow_creation& x) {
  return detail::all_of(f, x.id, x.factor, x.copies, x.shortfall);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, copy_status& x) {
  return detail::all_of(f, x.node, x.region, x.role, x.reason, x.confidence, x.etag, x.created, x.expires, x.bytes,
                        x.reads, x.demand, x.cost_bytes, x.saved, x.spent_usd, x.saved_usd, x.why, x.pinned,
                        x.reachable, x.deleted);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, item_status& x) {
  return detail::all_of(f, x.id, x.factor, x.min_copies, x.steward, x.copies, x.deleted);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, coordinates& x) {
  return detail::all_of(f, x.latitude, x.longitude);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, route_entry& x) {
  return detail::all_of(f, x.node, x.region, x.holds, x.live, x.rtt_ms, x.distance_km, x.expected_ms, x.reason);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, policy_setting& x) {
  return detail::all_of(f, x.scope, x.name, x.text);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, field_origin& x) {
  return detail::all_of(f, x.field, x.scope, x.name);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, policy_in_force& x) {
  return detail::all_of(f, x.id, x.user, x.text, x.origins);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_status& x) {
  return detail::all_of(f, x.node, x.region, x.address, x.where, x.state, x.rtt_ms, x.items, x.shadows, x.bytes,
                        x.silent, x.fresh, x.caught_up);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, repair_status& x) {
  return detail::all_of(f, x.active, x.checked, x.repaired, x.failed);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cluster_status& x) {
  return detail::all_of(f, x.self, x.nodes, x.catching_up, x.repair, x.removed);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, removal& x) {
  return detail::all_of(f, x.node, x.items);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, predicted_read& x) {
  return detail::all_of(f, x.id, x.confidence, x.worth_copying, x.holders, x.regions);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, user_prediction& x) {
  return detail::all_of(f, x.user, x.served_by, x.model, x.items, x.repeats_left_out);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, user_model_quality& x) {
  return detail::all_of(f, x.recall_20, x.mrr_20, x.counting_recall_20, x.predictions);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, demand_model_quality& x) {
  return detail::all_of(f, x.log_loss, x.calibration_error, x.decisions, x.kind, x.network_log_loss, x.trees_log_loss);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, training_report& x) {
  return detail::all_of(f, x.job, x.state, x.lines, x.accesses, x.bad_lines, x.left_out, x.withheld, x.learned,
                        x.complaints, x.progress, x.seconds_left, x.events_per_second, x.users, x.running_users,
                        x.demand, x.running_demand, x.model, x.reason);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, watched& x) {
  auto scope = static_cast<uint8_t>(x.scope);
  if constexpr (Inspector::reads_state)
    return f(scope, x.name);
  else
    return f(scope, x.name, caf::meta::load_callback([&] {
               x.scope = static_cast<watch_scope>(scope);
               return caf::error{};
             }));
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, watch_options& x) {
  return detail::all_of(f, x.present, x.values, x.after);
}

} // namespace gnomon::inline GNOMON_ABI
