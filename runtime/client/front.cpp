#include "runtime/client/front.hpp"

#include "actors/messages/answer.hpp"
#include "runtime/base/id_rules.hpp"
#include "runtime/client/client.hpp"
#include "runtime/client/client_values.hpp"

#include <caf/all.hpp>

#include <mutex>
#include <vector>

namespace gnomon {

namespace {

/// Answers that have come, for the actor to give out: only the actor's own thread may fulfil its promises.
class answers {
public:
  using job = std::function<void()>;
  void open(front_actor to) {
    std::lock_guard lock{mutex_};
    to_ = caf::actor_cast<caf::weak_actor_ptr>(to);
  }
  void push(job next) {
    std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(next));
    if (jobs_.size() == 1)
      if (auto to = to_.lock())
        caf::anon_send(caf::actor_cast<front_actor>(to), caf::tick_atom_v);
  }
  std::vector<job> take() {
    std::lock_guard lock{mutex_};
    return std::exchange(jobs_, {});
  }

private:
  std::mutex mutex_;
  std::vector<job> jobs_;
  caf::weak_actor_ptr to_;
};

caf::error error_of(const std::exception_ptr& problem) {
  try {
    std::rethrow_exception(problem);
  } catch (const failure& f) {
    return make_error(f.code(), f.what());
  } catch (const std::exception& e) {
    return make_error(ec::internal, e.what());
  }
}

template <class T>
expected<T> message_of(outcome<T> got) {
  if (got)
    return std::move(got).get();
  return error_of(got.problem());
}

/// An item that is not there is an error in a message.
expected<item> item_of(const std::string& id, outcome<std::optional<item>> got) {
  if (!got)
    return error_of(got.problem());
  if (auto found = std::move(got).get())
    return std::move(*found);
  return make_error(ec::not_found, "there is no item '" + id + "'");
}

struct front_state {
  const char* name = "front";
  front_actor::pointer self = nullptr;
  std::weak_ptr<client::core> core;
  std::shared_ptr<answers> ready = std::make_shared<answers>();

  /// Begins a request with `begin`, and answers with what `convert` makes of its outcome.
  template <class T, class Begin, class Convert>
  caf::result<T> ask(Begin begin, Convert convert) {
    answer<T> reply{self->make_response_promise<T>()};
    try {
      client node{alive()};
      begin(node).then([reply, convert, ready = ready](auto got) {
        ready->push([reply, outcome = std::make_shared<expected<T>>(convert(std::move(got)))] {
          *outcome ? reply.give(std::move(**outcome)) : reply.fail(outcome->error());
        });
      });
    } catch (...) {
      reply.fail(error_of(std::current_exception()));
    }
    return caf::delegated<T>{};
  }
  std::shared_ptr<client::core> alive() const {
    if (auto shared = core.lock())
      return shared;
    throw failure{ec::unavailable, "the client behind this handle has ended"};
  }
  template <class T, class Begin>
  caf::result<T> ask(Begin begin) {
    return ask<T>(std::move(begin), message_of<T>);
  }
};

/// The handler of `Message`: answers what the function of the client answers that `begin` calls.
template <class Message, class Begin>
auto on(front_state& state, Begin begin) {
  using result = std::decay_t<decltype(begin(std::declval<client&>(), std::declval<const Message&>()).get())>;
  return [&state, begin](const Message& m) { return state.ask<result>([&](client& c) { return begin(c, m); }); };
}

/// Without a text the policy is deleted.
caf::result<std::string> set_policy(front_state& state, const policy_setting& rule) {
  if (!rule.text.empty())
    return state.ask<std::string>([&](client& c) { return c.set_policy_later(rule); });
  return state.ask<std::string>([&](client& c) { return c.delete_policy_later(rule.scope, rule.name); },
                                [](outcome<done> got) -> expected<std::string> {
                                  return got ? expected<std::string>{std::string{}} : error_of(got.problem());
                                });
}

front_actor::behavior_type front(front_actor::stateful_pointer<front_state> self, std::weak_ptr<client::core> core) {
  auto& state = self->state;
  state.self = self;
  state.core = std::move(core);
  state.ready->open(self);
  return {
      [&](const api::get& m) {
        return state.ask<item>([&](client& c) { return c.get_later(m.id, m.options); },
                               [id = m.id](auto got) { return item_of(id, std::move(got)); });
      },
      [&](api::put& m) {
        return state.ask<put_receipt>([&](client& c) { return c.put_later(m.id, std::move(m.value), m.options); });
      },
      on<api::del>(state, [](client& c, const auto& m) { return c.del_later(m.id, m.options); }),
      on<api::list>(state,
                    [](client& c, const auto& m) { return c.list_later(m.prefix, m.after, m.limit, m.deleted); }),
      on<api::count>(state, [](client& c, const auto& m) { return c.count_later(m.prefix); }),
      on<api::create_shadow>(state,
                             [](client& c, const auto& m) { return c.create_shadow_later(m.id, m.factor, m.ttl); }),
      on<api::drop_shadow>(state, [](client& c, const auto& m) { return c.drop_shadow_later(m.id, m.region); }),
      on<api::status>(state, [](client& c, const auto& m) { return c.status_later(m.id); }),
      on<api::route>(state,
                     [](client& c, const auto& m) {
                       return m.ip.empty() ? c.route_later(m.id, m.from) : c.route_for_later(m.id, m.ip);
                     }),
      on<api::watch>(state, [](client& c, const auto& m) { return watch_later(c, m.what, m.watcher, m.options); }),
      on<api::unwatch>(state, [](client& c, const auto& m) { return unwatch_later(c, m.what, m.watcher); }),
      on<api::cluster>(state, [](client& c, const auto&) { return c.cluster_later(); }),
      on<api::policies>(state, [](client& c, const auto&) { return c.policies_later(); }),
      [&](const api::set_policy& m) { return set_policy(state, m.rule); },
      on<api::effective_policy>(state, [](client& c, const auto& m) { return c.effective_policy_later(m.id, m.user); }),
      on<api::remove_node>(state, [](client& c, const auto& m) { return c.remove_node_later(m.name, m.force); }),
      on<api::predict>(state, [](client& c, const auto& m) { return c.predict_later(m.user, m.limit, m.repeats); }),
      on<api::report_reads>(state, [](client& c, const auto& m) { return c.report_reads_later(m.reads); }),
      on<api::forget>(state, [](client& c, const auto& m) { return c.forget_later(m.user); }),
      on<api::training>(state, [](client& c, const auto& m) { return c.training_later(m.job); }),
      on<api::trainings>(state, [](client& c, const auto&) { return c.trainings_later(); }),
      [&](caf::tick_atom) {
        for (auto& job : state.ready->take())
          job();
      },
  };
}

shadow_handle::behavior_type stand_for(shadow_handle::pointer self, std::string id, router_handle router) {
  return {
      [=](const api::read& m) {
        return self->delegate(router, api::get{id, m.options});
      },
      [=](api::write& m) {
        return self->delegate(router, api::put{id, std::move(m.value), m.options});
      },
      [=](const api::erase& m) {
        return self->delegate(router, api::del{id, m.options});
      },
      [=](api::explain) { return self->delegate(router, api::status{id}); },
      [=](const api::place& m) {
        return self->delegate(router, api::create_shadow{id, m.factor, m.ttl});
      },
  };
}

} // namespace

front_actor spawn_front(caf::actor_system& system, std::weak_ptr<client::core> core) {
  return system.spawn(front, std::move(core));
}

} // namespace gnomon

namespace gnomon::inline GNOMON_ABI {

router_handle router_of(client& from) {
  return from.shared()->front();
}

region_handle region_of(client& from) {
  return from.shared()->front();
}

predictor_handle predictor_of(client& from) {
  return from.shared()->front();
}

shadow_handle shadow_of(client& from, const std::string& id) {
  auto checked = checked_known_id(id);
  if (!checked)
    raise(checked.error());
  return from.system().spawn(stand_for, std::move(*checked), router_of(from));
}

} // namespace gnomon::inline GNOMON_ABI
