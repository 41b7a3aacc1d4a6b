#include "runtime/shell/tally.hpp"

#include "runtime/base/json_text.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::shell {

namespace {

constexpr size_t complaints_shown = 20;
constexpr size_t hopeless_after = 100; // failures in a row that say that the node is not there

/// The node did not serve the request, rather than refuse it.
bool node_is_away(const failure& e) {
  return e.code() == ec::unavailable || e.code() == ec::timeout || e.code() == ec::peer_gone;
}

std::string listed(const nlohmann::ordered_json& counts) {
  std::string text;
  for (const auto& [what, count] : counts.items())
    if (count.is_number() && count != 0)
      text += fmt::format("{}{} {}", text.empty() ? ": " : ", ", human_count(count.get<uint64_t>()), what);
  return text;
}

} // namespace

const option_spec in_flight_option{"--in-flight", "N", "requests under way at once (default 64)"};

size_t window_from(const arguments& args) {
  return parse_count(args.get("--in-flight", "64"), "--in-flight", 1, 1024);
}

node_status self_of(const cluster_status& report) {
  auto own =
      std::find_if(report.nodes.begin(), report.nodes.end(), [&](const auto& n) { return n.node == report.self; });
  return own == report.nodes.end() ? node_status{} : *own;
}

tally::tally(session_context& context, std::string verb, std::ostream& summary)
    : context_(context), verb_(std::move(verb)), summary_(summary), progress_(context.to) {}

void tally::good(size_t bytes) {
  ++facts_.items;
  facts_.bytes += bytes;
  in_a_row_ = 0;
}

void tally::bad(const std::string& where, const std::string& why) {
  if (++facts_.failed > complaints_shown)
    return;
  progress_.clear();
  context_.to.err << fmt::format("{}: {}\n", printable(where), printable(why));
  if (facts_.failed == complaints_shown)
    context_.to.err << "further ones are only counted\n";
}

void tally::bad(const std::string& where, const failure& why) {
  bad(where, std::string{why.what()});
  if (node_is_away(why) && ++in_a_row_ >= hopeless_after)
    throw failure{ec::unavailable, fmt::format("{} requests in a row failed because the node is not there", in_a_row_)};
}

void tally::show(double share) {
  facts_.share = share;
  progress_.show(facts_);
}

int tally::finish(const std::string& stopped, const nlohmann::ordered_json& more) {
  progress_.clear();
  auto seconds = std::max(progress_.elapsed().count() / 1000.0, 0.001);
  if (context_.json) {
    nlohmann::ordered_json sum{{"items", facts_.items}, {"bytes", facts_.bytes}};
    sum.update(more);
    sum.update({{"failed", facts_.failed}, {"seconds", seconds}, {"complete", stopped.empty()}});
    summary_ << json_text(sum) << '\n';
  } else {
    context_.to.err << fmt::format("{} {} item{}, {}, in {} ({}/s){}", verb_, human_count(facts_.items),
                                   facts_.items == 1 ? "" : "s", human_bytes(facts_.bytes),
                                   human_duration(progress_.elapsed()),
                                   human_count(static_cast<uint64_t>(facts_.items / seconds)), listed(more));
    if (facts_.failed > 0)
      context_.to.err << fmt::format("; {} failed", human_count(facts_.failed));
    context_.to.err << '\n';
  }
  if (!stopped.empty())
    context_.to.err << "not complete: " << printable(stopped) << '\n';
  return facts_.failed == 0 && stopped.empty() ? done : failed;
}

} // namespace gnomon::shell
