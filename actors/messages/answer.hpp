#pragma once

#include "runtime/base/error.hpp"

#include <caf/typed_response_promise.hpp>

#include <memory>

namespace gnomon {

/// A response promise that is always kept. When the last copy of an answer goes and none was given, it gives a
/// retryable error. So an actor that dies, or a branch that forgets to answer, leaves nobody waiting. Belongs to one
/// actor, like the promise.
template <class T>
class answer {
public:
  answer() = default;
  explicit answer(caf::typed_response_promise<T> promise) : open_(std::make_shared<open>(std::move(promise))) {}
  void give(T value) const {
    if (open_ && !std::exchange(open_->given, true))
      open_->promise.deliver(std::move(value));
  }
  void fail(caf::error reason) const {
    if (open_ && !std::exchange(open_->given, true))
      open_->promise.deliver(std::move(reason));
  }
  bool given() const {
    return !open_ || open_->given;
  }

private:
  struct open {
    explicit open(caf::typed_response_promise<T> p) : promise(std::move(p)) {}
    ~open() {
      if (!given)
        promise.deliver(make_error(ec::unavailable, "the part that was asked is being restarted; try again"));
    }
    caf::typed_response_promise<T> promise;
    bool given = false;
  };
  std::shared_ptr<open> open_;
};

} // namespace gnomon
