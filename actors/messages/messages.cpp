#include "actors/messages/messages.hpp"

#include <algorithm>
#include <array>

namespace gnomon {

namespace {

constexpr std::array<std::string_view, 4> scope_names{"default", "type", "user", "item"};

} // namespace

std::string_view name(copy_kind kind) {
  switch (kind) {
  case copy_kind::local:
    return "local";
  case copy_kind::remote:
    return "remote";
  case copy_kind::prefetched:
    return "prefetched";
  }
  return "local";
}

std::string_view name(policy_scope scope) {
  auto i = static_cast<size_t>(scope);
  return i < scope_names.size() ? scope_names[i] : "unknown";
}

std::optional<policy_scope> scope_from(std::string_view text) {
  auto i = std::find(scope_names.begin(), scope_names.end(), text);
  if (i == scope_names.end())
    return std::nullopt;
  return static_cast<policy_scope>(i - scope_names.begin());
}

std::string_view name(peer_state state) {
  switch (state) {
  case peer_state::live:
    return "live";
  case peer_state::suspect:
    return "suspect";
  case peer_state::down:
    return "down";
  case peer_state::unknown:
    break;
  }
  return "unknown";
}

std::string_view name(training_phase phase) {
  switch (phase) {
  case training_phase::receiving:
    return "receiving";
  case training_phase::training:
    return "training";
  case training_phase::adopted:
    return "adopted";
  case training_phase::kept:
    return "kept";
  case training_phase::failed:
    break;
  }
  return "failed";
}

} // namespace gnomon
