#include "runtime/client/client.hpp"

#include "actors/messages/feed_position.hpp"
#include "runtime/base/id_rules.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/ip_address.hpp"
#include "runtime/client/client_values.hpp"
#include "runtime/client/snapshot_entry.hpp"
#include "runtime/client/system_config.hpp"
#include "runtime/client/transports.hpp"

#include <spdlog/fmt/fmt.h>

namespace gnomon {

static_assert(acks_of_all == acks_all);
static_assert(static_cast<int>(load_result::expired) == static_cast<int>(load_outcome::expired));

namespace {

template <class T>
T value_of(expected<T> x) {
  if (!x)
    raise(x.error());
  return std::move(*x);
}

/// Waits for the answer to the request that `begin` sends; it is not sent at all where nobody may wait.
template <class F>
auto waited(F begin) {
  detail::refuse_to_wait();
  return begin().get();
}

/// Ends `to` with what `convert` makes of the outcome, or with its exception.
template <class Reply, class Result, class Convert>
auto settle(std::shared_ptr<detail::pending<Result>> to, Convert convert) {
  return [=](expected<Reply> got) { to->end(detail::outcome_of([&] { return convert(std::move(got)); })); };
}

template <class Request, class Reply>
class typed_call final : public session_call {
public:
  using handler = std::function<void(expected<Reply>)>;
  typed_call(const client_options& options, bool repeatable, Request request, handler done)
      : session_call(options, repeatable), request_(std::move(request)), done_(std::move(done)) {}
  ~typed_call() override {
    fail(make_error(ec::unavailable, "the client was closed with the request under way"));
  }
  void send(session_state& state, uint64_t sequence, const router_actor& router) override {
    // The session bounds the wait: a timer for each request would outlive its answer.
    state.self->request(router, caf::infinite, request_)
        .then(
            [&state, sequence](Reply& reply) {
              if (auto call = state.finish(sequence))
                static_cast<typed_call&>(*call).end(std::move(reply));
            },
            [&state, sequence](const caf::error& reason) { state.failed(sequence, reason); });
  }
  void fail(const caf::error& reason) override {
    end(reason);
  }

private:
  void end(expected<Reply> outcome) {
    if (auto done = std::exchange(done_, nullptr))
      done(std::move(outcome));
  }
  Request request_;
  handler done_;
};

/// Sends `request`; `done` gets the outcome, once.
template <class Reply, class Request>
void begin(const session_port& port, Request request, bool repeatable, std::function<void(expected<Reply>)> done) {
  auto call =
      std::make_shared<typed_call<Request, Reply>>(port.options, repeatable, std::move(request), std::move(done));
  port.outbox->push([call](session_state& session) { session.begin(call); });
}

/// For `count` requests, one after the other.
template <class T>
auto pending_for(const session_port& port, int count = 1) {
  constexpr auto grace = std::chrono::seconds{1}; // the session ends it in time, unless it has no thread
  return std::make_shared<detail::pending<T>>(session_call::clock::now() + count * port.options.timeout + grace);
}

/// Sends `request`; the answer is what `convert` makes of the outcome, or its exception.
template <class Reply, class Request, class Convert>
auto ask(const session_port& port, Request request, Convert convert, bool repeatable = true) {
  using result = decltype(convert(std::declval<expected<Reply>>()));
  auto to = pending_for<result>(port);
  begin<Reply>(port, std::move(request), repeatable, settle<Reply>(to, convert));
  return later<result>{to};
}

template <class Reply>
constexpr auto to_answer = [](expected<Reply> outcome) { return to_public(value_of(std::move(outcome))); };

template <class Reply>
constexpr auto nothing_of = [](expected<Reply> outcome) {
  value_of(std::move(outcome));
  return done{};
};

bool is_missing(const caf::error& reason) {
  return code_of(reason) == ec::not_found || code_of(reason) == ec::gone;
}

std::optional<item> found_or_nothing(const read_item& request, expected<item_versions> outcome) {
  auto missing = outcome ? outcome->versions.deleted() : is_missing(outcome.error());
  if (missing)
    return std::nullopt;
  return value_of(to_public(value_of(std::move(outcome)), request));
}

using pending_receipt = std::shared_ptr<detail::pending<put_receipt>>;

void begin_write(const session_port& port, write_item request, const pending_receipt& to) {
  if (request.request_id.empty())
    request.request_id = fmt::format("{:016x}", random_u64());
  // Repeated after it was carried out, a condition would fail by the write itself.
  auto repeatable = request.condition == write_condition::none;
  begin<write_receipt>(port, std::move(request), repeatable, settle<write_receipt>(to, to_answer<write_receipt>));
}

/// Reads what there is, tombstones as well, and writes `request` over it.
void begin_replace(const session_port& port, write_item request, const pending_receipt& to) {
  read_item look;
  look.id = request.id;
  look.user = request.user;
  look.without_values = true;
  look.strong = true;
  begin<item_versions>(port, std::move(look), true, [=](expected<item_versions> now) mutable {
    auto missing = now ? now->versions.deleted() : is_missing(now.error());
    auto may_be_repeated =
        !request.request_id.empty(); // then it may be missing because it was deleted by this very write
    if (missing && request.deleted && !may_be_repeated) {
      auto sentence = fmt::format("there is no item '{}'", request.id);
      to->end(outcome<put_receipt>{std::make_exception_ptr(failure{ec::not_found, sentence})});
    } else if (!now && !missing) {
      to->end(outcome<put_receipt>{std::make_exception_ptr(failure{code_of(now.error()), sentence_of(now.error())})});
    } else {
      if (now)
        request.seen = now->versions.context;
      begin_write(port, std::move(request), to);
    }
  });
}

later<put_receipt> write(const session_port& port, write_item request, bool replace) {
  auto to = pending_for<put_receipt>(port, 2);
  if (replace && request.seen.empty())
    begin_replace(port, std::move(request), to);
  else
    begin_write(port, std::move(request), to);
  return later<put_receipt>{to};
}

} // namespace

void detail::refuse_to_wait() {
  if (on_scheduler_thread())
    throw failure{ec::invalid_argument, "this function waits, and inside an actor it would hold a thread that other "
                                        "actors need: call its _later form, send a message, or spawn the actor with "
                                        "caf::detached"};
}

client::client(std::filesystem::path socket, client_options options)
    : core_(std::make_shared<core>(to_socket(socket.string()), std::move(options))) {}

client::client(remote_node where, client_options options)
    : core_(std::make_shared<core>(to_tunnel(std::move(where)), std::move(options))) {}

client::client(std::shared_ptr<core> shared) : core_(std::move(shared)) {}

std::string item::value() const {
  if (unchanged)
    throw failure{ec::precondition_failed, fmt::format("'{}' has not changed, so its value was not sent", id)};
  if (versions.size() != 1)
    throw failure{ec::precondition_failed,
                  fmt::format("'{}' has {} versions that do not know of each other: choose among `versions` and write "
                              "the choice with `context`",
                              id, versions.size())};
  return versions.front().value;
}

later<std::optional<item>> client::get_later(const std::string& id, const get_options& options) {
  auto request = value_of(to_request(id, options));
  return ask<item_versions>(core_->port(), request, [request](expected<item_versions> outcome) {
    return found_or_nothing(request, std::move(outcome));
  });
}

std::optional<item> client::get(const std::string& id, const get_options& options) {
  return waited([&] { return get_later(id, options); });
}

later<put_receipt> client::put_later(const std::string& id, std::string value, const put_options& options) {
  return write(core_->port(), value_of(to_request(id, std::move(value), options, false)), options.replace);
}

put_receipt client::put(const std::string& id, std::string value, const put_options& options) {
  return waited([&] { return put_later(id, std::move(value), options); });
}

later<put_receipt> client::del_later(const std::string& id, const put_options& options) {
  return write(core_->port(), value_of(to_request(id, {}, options, true)), true);
}

put_receipt client::del(const std::string& id, const put_options& options) {
  return waited([&] { return del_later(id, options); });
}

later<item_list> client::list_later(const std::string& prefix, const std::string& after, uint32_t limit, bool deleted) {
  return ask<item_page>(core_->port(), list_items{prefix, after, limit, deleted}, to_answer<item_page>);
}

item_list client::list(const std::string& prefix, const std::string& after, uint32_t limit, bool deleted) {
  return waited([&] { return list_later(prefix, after, limit, deleted); });
}

later<item_counts> client::count_later(const std::string& prefix) {
  return ask<item_count>(core_->port(), count_items{prefix}, to_answer<item_count>);
}

item_counts client::count(const std::string& prefix) {
  return waited([&] { return count_later(prefix); });
}

later<shadow_creation> client::create_shadow_later(const std::string& id, uint32_t factor, std::chrono::seconds ttl) {
  if (ttl.count() < 0)
    throw failure{ec::invalid_argument, "the ttl is negative; it counts seconds, and 0 stands for the policy's"};
  gnomon::create_shadow request;
  request.id = value_of(checked_id(id));
  request.factor = factor;
  request.ttl = ttl;
  return ask<shadow_plan>(core_->port(), std::move(request), to_answer<shadow_plan>);
}

shadow_creation client::create_shadow(const std::string& id, uint32_t factor, std::chrono::seconds ttl) {
  return waited([&] { return create_shadow_later(id, factor, ttl); });
}

later<done> client::drop_shadow_later(const std::string& id, const std::string& region) {
  gnomon::drop_shadow request{value_of(checked_known_id(id)), region};
  return ask<shadow_drop>(core_->port(), std::move(request), nothing_of<shadow_drop>);
}

void client::drop_shadow(const std::string& id, const std::string& region) {
  waited([&] { return drop_shadow_later(id, region); });
}

later<item_status> client::status_later(const std::string& id) {
  get_shadow_status request{value_of(checked_known_id(id))};
  return ask<shadow_report>(core_->port(), std::move(request), to_answer<shadow_report>);
}

item_status client::status(const std::string& id) {
  return waited([&] { return status_later(id); });
}

later<std::vector<route_entry>> client::route_later(const std::string& id, std::optional<coordinates> from) {
  get_route request;
  request.id = value_of(checked_id(id));
  if (from) {
    request.has_place = true;
    request.latitude = from->latitude;
    request.longitude = from->longitude;
  }
  return ask<route_list>(core_->port(), std::move(request), to_answer<route_list>);
}

std::vector<route_entry> client::route(const std::string& id, std::optional<coordinates> from) {
  return waited([&] { return route_later(id, from); });
}

later<std::vector<route_entry>> client::route_for_later(const std::string& id, const std::string& ip) {
  if (!ip_address::parse(ip))
    throw failure{ec::invalid_argument, "'" + ip + "' is no IP address; write one such as 192.0.2.1 or 2001:db8::1"};
  get_route request;
  request.id = value_of(checked_id(id));
  request.ip = ip;
  return ask<route_list>(core_->port(), std::move(request), to_answer<route_list>);
}

std::vector<route_entry> client::route_for(const std::string& id, const std::string& ip) {
  return waited([&] { return route_for_later(id, ip); });
}

later<std::vector<policy_setting>> client::policies_later() {
  return ask<policy_list>(core_->port(), get_policies{}, to_answer<policy_list>);
}

std::vector<policy_setting> client::policies() {
  return waited([&] { return policies_later(); });
}

later<std::string> client::set_policy_later(const policy_setting& rule) {
  if (rule.text.empty())
    throw failure{ec::invalid_argument, "a policy is a JSON object such as {\"factor\": 4}; to remove one, delete it"};
  return ask<policy_list>(core_->port(), value_of(to_request(rule)),
                          [](expected<policy_list> all) { return value_of(std::move(all)).warning; });
}

std::string client::set_policy(const policy_setting& rule) {
  return waited([&] { return set_policy_later(rule); });
}

later<done> client::delete_policy_later(const std::string& scope, const std::string& name) {
  return ask<policy_list>(core_->port(), value_of(to_request(policy_setting{scope, name, {}})),
                          nothing_of<policy_list>);
}

void client::delete_policy(const std::string& scope, const std::string& name) {
  waited([&] { return delete_policy_later(scope, name); });
}

later<policy_in_force> client::effective_policy_later(const std::string& id, const std::string& user) {
  get_effective_policy request{value_of(checked_known_id(id)), user};
  return ask<gnomon::effective_policy>(core_->port(), std::move(request), to_answer<gnomon::effective_policy>);
}

policy_in_force client::effective_policy(const std::string& id, const std::string& user) {
  return waited([&] { return effective_policy_later(id, user); });
}

later<std::string> client::create_token_later(const token_entry& wish) {
  const auto made = make_token();
  return ask<token_list>(core_->port(), value_of(to_request(wish, made)),
                         [text = made.text](expected<token_list> added) {
                           value_of(std::move(added));
                           return text;
                         });
}

std::string client::create_token(const token_entry& wish) {
  return waited([&] { return create_token_later(wish); });
}

later<std::vector<token_entry>> client::tokens_later() {
  return ask<token_list>(core_->port(), get_tokens{}, to_answer<token_list>);
}

std::vector<token_entry> client::tokens() {
  return waited([&] { return tokens_later(); });
}

later<done> client::revoke_token_later(const std::string& name) {
  return ask<token_list>(core_->port(), gnomon::revoke_token{name}, nothing_of<token_list>);
}

void client::revoke_token(const std::string& name) {
  waited([&] { return revoke_token_later(name); });
}

later<cluster_status> client::cluster_later() {
  return ask<cluster_report>(core_->port(), get_cluster{}, to_answer<cluster_report>);
}

cluster_status client::cluster() {
  return waited([&] { return cluster_later(); });
}

later<removal> client::remove_node_later(const std::string& name, bool force) {
  return ask<node_removal>(core_->port(), gnomon::remove_node{name, force}, to_answer<node_removal>);
}

removal client::remove_node(const std::string& name, bool force) {
  return waited([&] { return remove_node_later(name, force); });
}

later<user_prediction> client::predict_later(const std::string& user, uint32_t limit, bool repeats) {
  get_prediction request{value_of(checked_known_id(user)), limit, repeats};
  return ask<prediction>(core_->port(), std::move(request), to_answer<prediction>);
}

user_prediction client::predict(const std::string& user, uint32_t limit, bool repeats) {
  return waited([&] { return predict_later(user, limit, repeats); });
}

later<uint64_t> client::report_reads_later(const std::vector<reported_read>& reads) {
  return ask<reads_receipt>(
      core_->port(), value_of(to_request(reads)),
      [](expected<reads_receipt> receipt) { return value_of(std::move(receipt)).reads; }, false);
}

uint64_t client::report_reads(const std::vector<reported_read>& reads) {
  return waited([&] { return report_reads_later(reads); });
}

later<uint32_t> client::forget_later(const std::string& user) {
  forget_user request{value_of(checked_known_id(user))};
  return ask<forget_receipt>(core_->port(), std::move(request), to_answer<forget_receipt>);
}

uint32_t client::forget(const std::string& user) {
  return waited([&] { return forget_later(user); });
}

training_report client::train(const std::function<bool(std::string&)>& next) {
  detail::refuse_to_wait();
  train_piece piece;
  std::string text;
  piece.last = !next(text);
  for (;;) {
    piece.text = blob{std::exchange(text, {})};
    piece.last = piece.last || !next(text);
    auto status = ask<training_status>(core_->port(), piece, to_answer<training_status>).get();
    if (piece.last)
      return status;
    piece.job = status.job;
    ++piece.number;
  }
}

later<training_report> client::training_later(uint64_t job) {
  return ask<training_status>(core_->port(), get_training{job}, to_answer<training_status>);
}

training_report client::training(uint64_t job) {
  return waited([&] { return training_later(job); });
}

later<std::vector<training_report>> client::trainings_later() {
  return ask<training_list>(core_->port(), list_trainings{}, to_answer<training_list>);
}

std::vector<training_report> client::trainings() {
  return waited([&] { return trainings_later(); });
}

// -- snapshots --------------------------------------------------------------------------------------------------------

namespace {

bool newer_than(const std::vector<policy_entry>& present, const policy_entry& entry) {
  for (const auto& p : present)
    if (p.scope == entry.scope && p.name == entry.name)
      return p.stamp < entry.stamp;
  return true;
}

/// Merges the policies that are newer than those in force.
void begin_to_load(const session_port& port, std::vector<policy_entry> entries, bool dry_run,
                   const std::shared_ptr<detail::pending<load_result>>& to) {
  begin<policy_list>(port, exchange_policies{}, true, [=](expected<policy_list> present) {
    exchange_policies news;
    if (present)
      for (const auto& entry : entries)
        if (newer_than(present->entries, entry))
          news.entries.push_back(entry);
    if (!present || news.entries.empty() || dry_run)
      return to->end(detail::outcome_of([&] {
        value_of(std::move(present));
        return news.entries.empty() ? load_result::known : load_result::merged;
      }));
    begin<policy_list>(port, std::move(news), true, settle<policy_list>(to, [](expected<policy_list> all) {
                         value_of(std::move(all));
                         return load_result::merged;
                       }));
  });
}

std::optional<saved_item> saved_or_nothing(expected<item_copy> outcome) {
  if (!outcome && code_of(outcome.error()) == ec::not_here)
    return std::nullopt;
  auto copy = value_of(std::move(outcome));
  return saved_item{to_entry(copy), copy.versions.deleted()};
}

std::optional<item> held_or_nothing(expected<item_copy> outcome) {
  if (!outcome && (is_missing(outcome.error()) || code_of(outcome.error()) == ec::not_here))
    return std::nullopt;
  auto copy = value_of(std::move(outcome));
  auto found = to_public(item_versions{copy.id, std::move(copy.versions), std::move(copy.values), {}});
  if (!found)
    return std::nullopt;
  const auto now = std::chrono::time_point_cast<time_point::duration>(std::chrono::system_clock::now());
  std::erase_if(found->versions, [&](const auto& v) { return v.expires != time_point{} && v.expires <= now; });
  return found->versions.empty() ? std::nullopt : std::move(found);
}

/// The copy of the asked node, which does not look elsewhere.
expected<fetch_item> to_fetch(const std::string& id) {
  auto checked = checked_known_id(id);
  if (!checked)
    return checked.error();
  fetch_item request;
  request.id = std::move(*checked);
  return request;
}

} // namespace

later<std::optional<item>> client::held_later(const std::string& id) {
  return ask<item_copy>(core_->port(), value_of(to_fetch(id)), held_or_nothing);
}

std::optional<item> client::held(const std::string& id) {
  return waited([&] { return held_later(id); });
}

later<std::optional<saved_item>> client::save_later(const std::string& id) {
  return ask<item_copy>(core_->port(), value_of(to_fetch(id)), saved_or_nothing);
}

std::string client::save_policies() {
  auto all = waited([&] { return ask<policy_list>(core_->port(), exchange_policies{}, value_of<policy_list>); });
  return to_entry(all.entries);
}

later<load_result> client::load_later(const std::string& entry, bool dry_run) {
  if (holds_policies(entry)) {
    auto to = pending_for<load_result>(core_->port(), 2);
    begin_to_load(core_->port(), value_of(policies_from_entry(entry)), dry_run, to);
    return later<load_result>{to};
  }
  load_item request{value_of(item_from_entry(entry)), dry_run};
  request.copy.id = value_of(checked_id(std::move(request.copy.id)));
  return ask<load_receipt>(core_->port(), std::move(request), [](expected<load_receipt> outcome) {
    return static_cast<load_result>(value_of(std::move(outcome)).outcome);
  });
}

later<found_actor> find_actor_later(const session_port& port, const std::string& name) {
  return ask<found_actor>(port, find_actor{name}, value_of<found_actor>);
}

caf::actor_system& client::system() {
  return core_->system();
}

} // namespace gnomon

namespace gnomon::inline GNOMON_ABI {

// -- watching ---------------------------------------------------------------------------------------------------------

namespace {

void check(const watched& what, const watch_options& options) {
  if (what.scope == watch_scope::item)
    value_of(checked_known_id(what.name));
  if (!options.after.empty() && !feed_position::from_text(options.after))
    throw failure{ec::invalid_argument, "'" + options.after + "' is not the position of a change"};
}

} // namespace

later<done> watch_later(client& from, const watched& what, const watcher_actor& watcher, const watch_options& options) {
  check(what, options);
  auto& port = from.shared()->port();
  auto to = pending_for<done>(port);
  begin<change_page>(port, question_of(what, options), true, [=, outbox = port.outbox](expected<change_page> first) {
    if (first)
      outbox->push([=, page = *first](session_state& session) { session.watch(what, watcher, options, page); });
    to->end(detail::outcome_of([&] { return nothing_of<change_page>(std::move(first)); }));
  });
  return later<done>{to};
}

void watch(client& from, const watched& what, const watcher_actor& watcher, const watch_options& options) {
  waited([&] { return watch_later(from, what, watcher, options); });
}

void unwatch(client& from, const watched& what, const watcher_actor& watcher) {
  from.shared()->port().outbox->push([=](session_state& session) { session.unwatch(what, watcher); });
}

later<done> unwatch_later(client& from, const watched& what, const watcher_actor& watcher) {
  unwatch(from, what, watcher);
  auto to = std::make_shared<detail::pending<done>>();
  to->end(outcome<done>{done{}});
  return later<done>{to};
}

} // namespace gnomon::inline GNOMON_ABI
