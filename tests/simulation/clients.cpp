#include "tests/simulation/clients.hpp"

#include "actors/node/index_hit.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon::simulation {

constexpr std::string_view followed_type = "plain/";

clients::clients(engine& on, uint64_t seed, cluster& of, history& told, std::vector<std::string> ids, duration patience)
    : engine_(on), dice_(seed), cluster_(of), history_(told), ids_(std::move(ids)), patience_(patience), sessions_(6),
      followers_(of.size()) {}

void clients::act() {
  operation op;
  op.node = static_cast<int>(dice_.below(cluster_.size()));
  op.id = dice_.one_of(ids_);
  auto* of = dice_.chance(60) ? &sessions_[dice_.below(sessions_.size())] : nullptr;
  if (of)
    op.seen = of->contexts[op.id];
  auto kind = dice_.below(100);
  if (kind < 50)
    return start_read(op, of);
  if (!repeatable_.empty() && kind < 55) { // the same request once more, perhaps elsewhere
    auto again = dice_.one_of(repeatable_);
    again.node = op.node;
    return start_write(again, nullptr);
  }
  op.kind = kind < 90 ? op_kind::write : op_kind::remove;
  if (dice_.chance(40))
    op.request_id = fmt::format("r{}", dice_.draw() % 1'000'000);
  if (op.kind == op_kind::write && dice_.chance(10))
    op.expires = cluster_.clock_of(op.node).now() + duration{static_cast<int64_t>(dice_.between(1, 60)) * 1000};
  auto acks = dice_.below(10);
  op.acks = acks < 4 ? 0 : acks < 6 ? 1 : acks < 9 ? 2 : acks_all;
  auto lww = op.id.rfind("lww/", 0) == 0;
  if (of && !lww && op.kind == op_kind::write && dice_.chance(25)) {
    auto known = of->etags.find(op.id);
    op.condition =
        known == of->etags.end() || dice_.chance(20) ? write_condition::if_absent : write_condition::if_match;
    op.wanted = known == of->etags.end() ? "" : known->second;
    if (dice_.chance(50)) // and someone else wants the same, at the same moment
      start_write(op, nullptr);
  }
  start_write(op, of);
}

void clients::read(const std::string& id, int node) {
  operation op;
  op.node = node;
  op.id = id;
  start_read(op, nullptr);
}

void clients::node_woke(int node) {
  for (const auto& id : ids_) {
    read(id, node);
    soon([this, id] { read(id, any_node()); }, 2'000);
  }
}

void clients::write(const std::string& id, int node) {
  operation op;
  op.kind = dice_.chance(80) ? op_kind::write : op_kind::remove;
  op.node = node;
  op.id = id;
  start_write(op, nullptr);
}

void clients::crowd(const std::string& type) {
  for (const auto& id : ids_)
    for (auto n = id.rfind(type, 0) == 0 ? 6 : 0; n > 0; --n)
      soon([this, id] { dice_.chance(50) ? read(id, any_node()) : write(id, any_node()); }, 300);
}

void clients::ask_often(int node) {
  for (const auto& id : ids_)
    for (auto n = 4; n > 0; --n)
      soon([this, id, node] { read(id, node); }, 3'000);
}

void clients::keep_busy(int node) {
  for (const auto& id : ids_)
    soon([this, id, node] { write(id, node); }, 5'000);
}

/// Within so many milliseconds.
void clients::soon(std::function<void()> what, uint64_t most) {
  engine_.after(moment{static_cast<int64_t>(dice_.below(most * 1000))}, std::move(what));
}

void clients::node_came_back(int node) {
  for (const auto& id : ids_) {
    operation op;
    op.kind = op_kind::write;
    op.node = node;
    op.id = id;
    start_write(op, nullptr);
  }
}

void clients::start_read(operation what, session* of) {
  auto router = cluster_.router_of(what.node);
  if (!router)
    return;
  what.strong = dice_.chance(20);
  auto& op = history_.begin(std::move(what));
  read_item request;
  request.id = op.id;
  request.user = fmt::format("reader{}", op.number % 3);
  request.seen = op.seen;
  request.strong = op.strong;
  if (read_from_index(op, of) || read_absence(op, request))
    return;
  ask<item_versions>(op, of, request);
}

/// As an HTTP thread does it.
bool clients::read_from_index(operation& op, session* of) {
  if (cluster_.frozen(op.node))
    return false;
  auto& node = *cluster_.context_of(op.node);
  auto entry = index_hit(node, op.id, op.seen);
  if (!entry)
    return false;
  if (auto agent = node.handles.get()->agent)
    engine_.asker()->send(agent,
                          access_batch{{{.id = op.id, .user = "reader", .at = node.time->now(), .from_index = true}}});
  op.from_index = true;
  done(op, of, entry->versions);
  return true;
}

/// As an HTTP thread does it.
bool clients::read_absence(operation& op, const read_item& request) {
  auto absent =
      !cluster_.frozen(op.node) && request.takes_absence() && cluster_.context_of(op.node)->nobody_holds(op.id);
  if (absent)
    failed(op, make_error(ec::not_found, "(known)"));
  return absent;
}

void clients::start_write(operation what, session* of) {
  if (!cluster_.router_of(what.node))
    return;
  what.begun = what.ended = {};
  what.end = op_end::open;
  auto& op = history_.begin(std::move(what));
  if (!op.request_id.empty() && repeatable_.size() < 50)
    repeatable_.push_back(op);
  write_item request;
  request.id = op.id;
  request.user = fmt::format("u{}", op.number);
  request.deleted = op.kind == op_kind::remove;
  if (!request.deleted)
    request.value = blob{op.value = value_of(op)};
  request.content_type = "text/plain";
  request.seen = op.seen;
  request.condition = op.condition;
  request.etag = op.wanted;
  request.request_id = op.request_id;
  request.acks = op.acks;
  request.expires = op.expires;
  ask<write_receipt>(op, of, request);
}

std::string clients::value_of(const operation& op) {
  if (dice_.chance(2))
    return {};
  auto text = fmt::format("{}#{}#", op.id, op.number);
  text.append(dice_.chance(1) ? dice_.between(60'000, 140'000) : dice_.below(200), 'x');
  return text;
}

template <class Reply, class Message>
void clients::ask(operation& op, session* of, Message message) {
  open_.emplace(op.number, &op);
  engine_.asker()
      ->request(cluster_.router_of(op.node), patience_, std::move(message))
      .then(
          [this, &op, of](const Reply& got) {
            if (open_.erase(op.number) > 0)
              done(op, of, got);
          },
          [this, &op](const caf::error& reason) {
            if (open_.erase(op.number) > 0)
              failed(op, reason);
          });
}

void clients::done(operation& op, session* of, const item_versions& got) {
  history_.end_read(op, got);
  if (!of)
    return;
  of->contexts[op.id].merge(got.versions.context);
  of->etags[op.id] = op.etag;
}

void clients::done(operation& op, session* of, const write_receipt& got) {
  history_.end_write(op, got);
  if (!of)
    return;
  of->contexts[op.id].merge(got.context);
  of->etags[op.id] = op.etag;
}

void clients::failed(operation& op, const caf::error& reason) {
  auto hung = engine_.now() - op.begun >= moment{patience_} && cluster_.undisturbed_since(op.node, op.begun);
  history_.end_failed(op, code_of(reason), sentence_of(reason));
  if (hung)
    history_.accuse("no request hangs beyond its time", op.id,
                    fmt::format("request {} at {} was not answered in time", op.number, node_name(op.node)));
}

void clients::node_crashed(int node) {
  followers_[static_cast<size_t>(node)].question = 0;
  for (auto i = open_.begin(); i != open_.end();)
    if (i->second->node == node) {
      history_.end_failed(*i->second, ec::peer_gone, "the node crashed");
      i->second->end = op_end::unknown;
      i = open_.erase(i);
    } else {
      ++i;
    }
}

void clients::follow_on() {
  for (size_t node = 0; node < followers_.size(); ++node) {
    auto& by = followers_[node];
    auto at = static_cast<int>(node);
    auto router = cluster_.router_of(at);
    if (!router || by.question != 0)
      continue;
    follow_changes request{follow_scope::prefix, std::string{followed_type}, by.position, 10s, true, false};
    by.question = ++questions_;
    auto answered = [this, at, question = by.question] {
      return std::exchange(followers_[static_cast<size_t>(at)].question, 0) == question;
    };
    engine_.asker()
        ->request(router, 30s, std::move(request))
        .then(
            [=, this](const change_page& page) {
              if (answered())
                told(at, page);
            },
            [=](const caf::error&) { answered(); });
  }
}

void clients::told(int node, const change_page& page) {
  auto& by = followers_[static_cast<size_t>(node)];
  by.position = page.position;
  for (const auto& what : page.changes) {
    if (what.kind == "gap") {
      by.told.clear();
      by.written.clear();
      continue;
    }
    auto context = version_vector::from_text(what.context);
    // What was on its way when there was a gap may have been told as present before.
    if (what.kind == "written" && by.written[what.id].covers(*context))
      history_.accuse("a change is told once", what.id, "the follower at " + node_name(node) + " was told it twice");
    if (what.kind == "written")
      by.written[what.id].merge(*context);
    history_.tell(what.id, fmt::format("the follower at {} is told: {}", node_name(node), what.kind));
    by.told[what.id].merge(*context);
  }
}

void clients::check_followers(const std::set<int>& wanted) {
  for (auto at : wanted)
    for (const auto& id : ids_)
      for (int node = 0; node < static_cast<int>(cluster_.size()) && id.starts_with(followed_type); ++node) {
        auto record = cluster_.disk_of(node).record(id);
        const auto& told = followers_[static_cast<size_t>(at)].told;
        auto known = told.find(id);
        if (!is_copy(node, record) || (known != told.end() && known->second.covers(record->versions.context)))
          continue;
        return history_.accuse(
            "who follows an item knows what there is", id,
            fmt::format("the follower at {} was not told of all that {} has", node_name(at), node_name(node)));
      }
}

} // namespace gnomon::simulation
