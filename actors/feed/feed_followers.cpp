// What a feed answers to those who follow items at this node.
#include "actors/feed/feed.hpp"
#include "actors/feed/merged_states.hpp"

namespace gnomon {

using namespace std::chrono_literals;

namespace {

constexpr auto longest_wait = 20s;
constexpr size_t most_followed = 10'000; // items and prefixes
constexpr size_t changes_in_a_page = 1000, values_in_a_page = 16;
constexpr uint32_t states_in_a_page = 500;

} // namespace

void feed_state::follow(const follow_changes& request, answer<change_page> reply) {
  auto after = feed_position::from_text(request.after);
  if (!after && !request.after.empty())
    return reply.fail(
        make_error(ec::invalid_argument, "'" + request.after + "' is not a position that a node gave out"));
  interest what{request.scope, request.name};
  auto new_here = request.scope != follow_scope::cluster && followed_.count(what) == 0;
  if (new_here && followed_.size() >= most_followed)
    return reply.fail(make_error(ec::overloaded, "as many items and prefixes are watched at this node as may be; watch "
                                                 "a prefix in place of many items, or try again later"));
  if (request.scope != follow_scope::cluster)
    note_followed(what);
  auto goes_on = after && after->feed == number_ && changes_.goes_back_to(after->number) && !new_here;
  if (after && !goes_on) {
    feed_position present{number_, changes_.last(), feed_position::listing::all, {}};
    auto gap = change_of("gap", {});
    gap.position = present.to_text();
    return reply.give({{gap}, present.to_text()});
  }
  auto begin = request.present ? feed_position::listing::living : feed_position::listing::none;
  auto position = goes_on ? *after : feed_position{number_, changes_.last(), begin, {}};
  auto until = now() + std::min<duration>(request.wait, longest_wait);
  waiters_.push_back({request, position, generation_, until, std::move(reply)});
  if (answer_waiter(waiters_.back(), now() < until))
    waiters_.pop_back();
}

void feed_state::answer_waiters() {
  for (auto i = waiters_.begin(); i != waiters_.end();)
    i = answer_waiter(*i, now() < i->until) ? waiters_.erase(i) : std::next(i);
}

/// True when it was answered, or is about to be: there is something to tell, or it has waited for long enough.
bool feed_state::answer_waiter(waiter& to, bool in_time) {
  if (to.request.scope != follow_scope::cluster && !all_confirmed(to.generation))
    return false; // it will be, within a bound
  if (to.position.present != feed_position::listing::none) {
    give_present(std::move(to));
    return true;
  }
  change_page page;
  auto most = to.request.values ? values_in_a_page : changes_in_a_page;
  changes_.each_after(to.position.number, [&](uint64_t number, const change& what) {
    to.position.number = number;
    if (!concerns(what, to.request))
      return true;
    if (what.kind == "gap") { // what is listed next comes after all gaps that there are
      to.position.present = feed_position::listing::all;
      to.position.number = last_gap_;
    }
    page.changes.push_back(what);
    page.changes.back().position = to.position.to_text();
    return what.kind != "gap" && page.changes.size() < most;
  });
  if (page.changes.empty() && in_time)
    return false;
  page.position = to.position.to_text();
  give(std::move(page), to.request, to.reply);
  return true;
}

bool feed_state::concerns(const change& what, const follow_changes& request) {
  auto of_cluster = what.kind.starts_with("node-") || what.kind == "policy" || what.kind == "model";
  if (of_cluster || request.scope == follow_scope::cluster)
    return of_cluster && request.scope == follow_scope::cluster;
  if (what.id.empty())
    return true;
  return request.scope == follow_scope::item ? what.id == request.name : what.id.starts_with(request.name);
}

void feed_state::tell(std::vector<change_order::told> all) {
  for (auto& [step, missed] : all) {
    change what;
    what.kind = step.is_gap() ? "gap" : step.expired ? "expired" : step.deleted ? "deleted" : "written";
    what.id = std::move(step.id);
    what.context = step.after.to_text();
    what.etag = std::move(step.etag);
    what.missed = missed;
    what.at_ms = step.at.time_since_epoch().count();
    tell(std::move(what));
    node_->counters.changes_told.fetch_add(1, std::memory_order_relaxed);
    node_->counters.changes_missed.fetch_add(missed, std::memory_order_relaxed);
  }
  if (!all.empty())
    answer_waiters();
}

void feed_state::tell(change what) {
  auto gap = what.kind == "gap";
  changes_.add(std::move(what));
  if (gap)
    last_gap_ = changes_.last();
}

change feed_state::change_of(std::string kind, std::string id) const {
  change result;
  result.kind = std::move(kind);
  result.id = std::move(id);
  result.at_ms = node_->time->now().time_since_epoch().count();
  return result;
}

/// One page of the items as they are at all nodes that can be asked. What a node would have said that does not answer
/// is told once it does.
void feed_state::give_present(waiter to) {
  if (to.request.scope == follow_scope::cluster)
    return give_cluster(to);
  auto merged = std::make_shared<merged_states>();
  auto view = node_->cluster.get();
  auto open = std::make_shared<size_t>(1);
  list_states question{to.request.name, to.request.scope == follow_scope::item, to.position.listed, states_in_a_page};
  auto one_less = [=, this] {
    if (--*open > 0)
      return;
    auto page = merged->cut(states_in_a_page);
    give(present_page(page, to), to.request, to.reply);
  };
  auto heard = [=](const state_page& page) {
    merged->add(page);
    one_less();
  };
  for (const auto& peer : view->peers)
    if (auto known = view->reachable(peer.identity.node)) {
      ++*open;
      self_->request(known->link, caf::infinite, traffic::client, question)
          .then(heard, [=, this, node = peer.identity.node](const caf::error&) {
            sources_[node].doubted = true;
            one_less();
          });
    } else {
      sources_[peer.identity.node].doubted = true;
    }
  self_->request(feed_actor{self_}, caf::infinite, question).then(heard, [=](const caf::error&) { one_less(); });
}

change_page feed_state::present_page(const state_page& states, const waiter& to) const {
  change_page page;
  auto position = to.position;
  for (const auto& [id, versions] : states.items) {
    position.listed = id;
    auto gone = versions.siblings.empty() || versions.deleted();
    if (versions.context.empty() || (gone && position.present == feed_position::listing::living))
      continue;
    auto what = change_of(gone ? "deleted" : "present", id);
    what.context = versions.context.to_text();
    what.etag = versions.etag();
    what.position = position.to_text();
    page.changes.push_back(std::move(what));
  }
  if (!states.more)
    position = {position.feed, behind_present(states, to), feed_position::listing::none, {}};
  page.position = position.to_text();
  return page;
}

/// The number of the last change that is part of what was listed, when that was one page: it need not be told again.
uint64_t feed_state::behind_present(const state_page& states, const waiter& to) const {
  auto last = to.position.number;
  if (!to.position.listed.empty())
    return last;
  std::map<std::string, version_vector> listed;
  for (const auto& [id, versions] : states.items)
    listed[id] = versions.context;
  changes_.each_after(last, [&](uint64_t number, const change& what) {
    if (concerns(what, to.request)) {
      auto context = version_vector::from_text(what.context);
      if (what.kind == "gap" || what.kind == "expired" || !context || !listed[what.id].covers(*context))
        return false;
    }
    last = number;
    return true;
  });
  return last;
}

// -- values ----------------------------------------------------------------------------------------------------------

void feed_state::give(change_page page, const follow_changes& request, const answer<change_page>& reply) {
  if (!request.values)
    return reply.give(std::move(page));
  add_values(std::make_shared<change_page>(std::move(page)), 0, reply);
}

/// One after the other. A value that has been replaced since is left out: the change that did it follows.
void feed_state::add_values(std::shared_ptr<change_page> page, size_t next, const answer<change_page>& reply) {
  auto has_one = [&] { return page->changes[next].kind == "written" || page->changes[next].kind == "present"; };
  while (next < page->changes.size() && !has_one())
    ++next;
  if (next == page->changes.size())
    return reply.give(std::move(*page));
  read_item question;
  question.id = page->changes[next].id;
  if (auto seen = version_vector::from_text(page->changes[next].context))
    question.seen = std::move(*seen);
  auto go_on = [=, this] { add_values(page, next + 1, reply); };
  self_->request(node_->handles.get()->router, node_->config.request_timeout, question)
      .then(
          [=](const item_versions& got) {
            auto& what = page->changes[next];
            if (got.values.size() == 1 && got.versions.context.to_text() == what.context) {
              what.has_value = true;
              what.value = std::string{got.values[0].view()};
              what.content_type = got.versions.siblings[0].content_type;
            }
            go_on();
          },
          [=](const caf::error&) { go_on(); });
}

} // namespace gnomon
