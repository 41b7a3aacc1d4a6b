#include "runtime/client.hpp"

#include "gnomon/watch.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/client_values.hpp"

#include <spdlog/fmt/fmt.h>

#include <future>

namespace gnomon {

static_assert(acks_of_all == acks_all);

namespace {

[[noreturn]] void raise(const caf::error& reason) {
  throw failure{code_of(reason), sentence_of(reason)};
}

template <class T>
T value_of(expected<T> x) {
  if (!x)
    raise(x.error());
  return std::move(*x);
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

/// Sends `request`; the future holds what `convert` makes of the outcome, or its exception.
template <class Reply, class Request, class Convert>
auto ask(client::core& core, Request request, bool repeatable, Convert convert) {
  using result = decltype(convert(std::declval<expected<Reply>>()));
  auto promise = std::make_shared<std::promise<result>>();
  auto future = promise->get_future();
  auto done = [promise, convert](expected<Reply> outcome) {
    try {
      promise->set_value(convert(std::move(outcome)));
    } catch (...) {
      promise->set_exception(std::current_exception());
    }
  };
  auto call =
      std::make_shared<typed_call<Request, Reply>>(core.options, repeatable, std::move(request), std::move(done));
  core.push([call](session_state& session) { session.begin(call); });
  return future;
}

template <class Reply>
constexpr auto to_answer = [](expected<Reply> outcome) { return to_public(value_of(std::move(outcome))); };

std::optional<item> found_or_nothing(expected<item_versions> outcome) {
  if (!outcome && (code_of(outcome.error()) == ec::not_found || code_of(outcome.error()) == ec::gone))
    return std::nullopt;
  return to_public(value_of(std::move(outcome)));
}

std::future<put_receipt> write(client::core& core, write_item request) {
  request.request_id = fmt::format("{:016x}", random_u64());
  // Repeated after it was carried out, a condition would fail by the write itself.
  auto repeatable = request.condition == write_condition::none;
  return ask<write_receipt>(core, std::move(request), repeatable, to_answer<write_receipt>);
}

} // namespace

client::client(std::filesystem::path socket, client_options options)
    : core_(std::make_shared<core>(std::move(socket), options)) {}

client::client(std::shared_ptr<core> shared) : core_(std::move(shared)) {}

const std::string& item::value() const {
  if (versions.size() != 1)
    throw failure{ec::precondition_failed,
                  fmt::format("'{}' has {} versions that do not know of each other: choose among `versions` and write "
                              "the choice with `context`",
                              id, versions.size())};
  return versions.front().value;
}

std::future<std::optional<item>> client::get_later(const std::string& id, const get_options& options) {
  return ask<item_versions>(*core_, value_of(to_request(id, options)), true, found_or_nothing);
}

std::optional<item> client::get(const std::string& id, const get_options& options) {
  return get_later(id, options).get();
}

std::future<put_receipt> client::put_later(const std::string& id, std::string value, const put_options& options) {
  return write(*core_, value_of(to_request(id, std::move(value), options, false)));
}

put_receipt client::put(const std::string& id, std::string value, const put_options& options) {
  return put_later(id, std::move(value), options).get();
}

put_receipt client::del(const std::string& id, const put_options& options) {
  auto request = value_of(to_request(id, {}, options, true));
  if (options.context.empty()) {
    read_item look;
    look.id = request.id;
    look.user = options.user;
    look.without_values = true;
    auto now = ask<item_versions>(*core_, std::move(look), true, value_of<item_versions>).get();
    if (now.versions.deleted())
      throw failure{ec::not_found, fmt::format("there is no item '{}': it was deleted before", id)};
    request.seen = now.versions.context;
  }
  return write(*core_, std::move(request)).get();
}

item_list client::list(const std::string& prefix, const std::string& after, uint32_t limit) {
  return ask<item_page>(*core_, list_items{prefix, after, limit}, true, to_answer<item_page>).get();
}

shadow_creation client::create_shadow(const std::string& id, uint32_t factor, std::chrono::seconds ttl) {
  if (ttl.count() < 0)
    throw failure{ec::invalid_argument, "the ttl is negative; it counts seconds, and 0 stands for the policy's"};
  gnomon::create_shadow request;
  request.id = value_of(checked_id(id));
  request.factor = factor;
  request.ttl = ttl;
  return ask<shadow_plan>(*core_, std::move(request), true, to_answer<shadow_plan>).get();
}

item_status client::status(const std::string& id) {
  get_shadow_status request{value_of(checked_id(id))};
  return ask<shadow_report>(*core_, std::move(request), true, to_answer<shadow_report>).get();
}

std::vector<route_entry> client::route(const std::string& id, std::optional<place> from) {
  get_route request;
  request.id = value_of(checked_id(id));
  if (from) {
    request.has_place = true;
    request.latitude = from->latitude;
    request.longitude = from->longitude;
  }
  return ask<route_list>(*core_, std::move(request), true, to_answer<route_list>).get();
}

std::vector<policy_rule> client::policies() {
  return ask<policy_list>(*core_, get_policies{}, true, to_answer<policy_list>).get();
}

void client::set_policy(const policy_rule& rule) {
  if (rule.text.empty())
    throw failure{ec::invalid_argument, "a policy is a JSON object such as {\"factor\": 4}; to remove one, delete it"};
  ask<policy_list>(*core_, value_of(to_request(rule)), true, value_of<policy_list>).get();
}

void client::delete_policy(const std::string& scope, const std::string& name) {
  ask<policy_list>(*core_, value_of(to_request(policy_rule{scope, name, {}})), true, value_of<policy_list>).get();
}

cluster_status client::cluster() {
  return ask<cluster_report>(*core_, get_cluster{}, true, to_answer<cluster_report>).get();
}

caf::actor_system& client::system() {
  return core_->system();
}

// -- watching ---------------------------------------------------------------------------------------------------------

void watch(client& from, const std::string& id, const item_watcher_actor& watcher) {
  auto checked = value_of(checked_id(id));
  auto& core = *from.shared();
  // The cheapest request tells that there is a node, and keeps the order of what follows.
  ask<policy_list>(core, get_policies{}, true, value_of<policy_list>).get();
  core.push([=](session_state& session) { session.watch(checked, watcher); });
}

void unwatch(client& from, const std::string& id, const item_watcher_actor& watcher) {
  from.shared()->push([=](session_state& session) { session.unwatch(id, watcher); });
}

} // namespace gnomon
