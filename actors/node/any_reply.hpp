#pragma once

#include <caf/all.hpp>

#include <functional>

namespace gnomon {

namespace reply_parts {

/// Takes whatever comes. CAF 0.17 has handlers only for replies whose types are known where they are compiled.
class any_reply final : public caf::detail::behavior_impl {
public:
  explicit any_reply(std::function<void(caf::message)> then) : then_(std::move(then)) {}
  caf::match_case::result invoke(caf::detail::invoke_result_visitor& visitor, caf::type_erased_tuple& reply) override {
    then_(caf::message::copy(reply));
    visitor(caf::unit);
    return caf::match_case::match;
  }

private:
  std::function<void(caf::message)> then_;
};

} // namespace reply_parts

/// Sends `content` to an actor whose messages are not known here. `then` gets the reply's content: a single
/// `caf::error` when the request failed.
template <class Self>
void request_any(Self* self, const caf::strong_actor_ptr& to, std::chrono::milliseconds patience, caf::message content,
                 std::function<void(caf::message)> then) {
  auto request = self->request(caf::actor_cast<caf::actor>(to), patience, std::move(content));
  caf::detail::behavior_impl::pointer taker = caf::make_counted<reply_parts::any_reply>(std::move(then));
  caf::behavior take;
  take.assign(taker);
  self->add_multiplexed_response_handler(request.id(), std::move(take));
}

} // namespace gnomon
