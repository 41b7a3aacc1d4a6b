#pragma once

#include "gnomon/abi.hpp"
#include "gnomon/error.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace gnomon::inline GNOMON_ABI {

/// Runs a function on a thread of its choice, now or later.
using executor = std::function<void(std::function<void()>)>;

/// The value of a request that has no other.
struct done {};

/// The outcome of a request: a value, or the `failure` instead of it.
template <class T>
class outcome {
public:
  explicit outcome(T value) : value_(std::move(value)) {}
  explicit outcome(std::exception_ptr problem) : problem_(std::move(problem)) {}

  explicit operator bool() const {
    return value_.has_value();
  }
  /// The value. Throws the failure.
  const T& get() const& {
    if (problem_)
      std::rethrow_exception(problem_);
    return *value_;
  }
  T get() && {
    if (problem_)
      std::rethrow_exception(problem_);
    return std::move(*value_);
  }
  /// Null when there is a value.
  const std::exception_ptr& problem() const {
    return problem_;
  }

private:
  std::optional<T> value_;
  std::exception_ptr problem_;
};

namespace detail {

/// Throws `failure` (invalid_argument) inside an actor that has no thread of its own.
void refuse_to_wait();

/// What a request shares with its caller. It ends once; later outcomes do not count.
template <class T>
class pending {
public:
  using time_point = std::chrono::steady_clock::time_point;

  pending() = default;
  /// Who waits, waits until `latest`, even when no thread is left that could bring the outcome.
  explicit pending(time_point latest) : latest_(latest) {}

  void end(outcome<T> result) {
    std::function<void(outcome<T>)> next;
    {
      std::lock_guard lock{mutex_};
      if (std::exchange(over_, true))
        return;
      result_.emplace(std::move(result));
      next = std::exchange(next_, nullptr);
    }
    ended_.notify_all();
    if (next)
      next(take());
  }
  bool wait_until(time_point when) {
    std::unique_lock lock{mutex_};
    return ended_.wait_until(lock, when, [this] { return result_.has_value(); });
  }
  outcome<T> wait() {
    if (!wait_until(latest_))
      end(outcome<T>{std::make_exception_ptr(
          failure{ec::timeout, "the request was not answered in time, and nothing has ended it: do actors of this "
                               "program hold all threads?"})});
    return take();
  }
  void then(std::function<void(outcome<T>)> next) {
    {
      std::lock_guard lock{mutex_};
      if (!result_) {
        next_ = std::move(next);
        return;
      }
    }
    next(take());
  }

private:
  outcome<T> take() {
    std::lock_guard lock{mutex_};
    return std::move(*result_);
  }

  const time_point latest_ = time_point::max();
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::optional<outcome<T>> result_;
  std::function<void(outcome<T>)> next_;
};

/// What `f` returns or throws.
template <class F>
auto outcome_of(F f) -> outcome<decltype(f())> {
  using result = outcome<decltype(f())>;
  try {
    return result{f()};
  } catch (...) {
    return result{std::current_exception()};
  }
}

} // namespace detail

/// The answer to a request that is under way. Either wait for it with `get`, or have a function called with `then`;
/// once. It always comes: within the client's timeout, or as a failure when the client ends before.
template <class T>
class [[nodiscard]] later {
public:
  later() = default; // of no request
  explicit later(std::shared_ptr<detail::pending<T>> shared) : shared_(std::move(shared)) {}

  /// Waits. Throws the `failure` of the request; invalid_argument inside an actor while there is no answer.
  T get() {
    if (!wait_for(std::chrono::milliseconds{0}))
      detail::refuse_to_wait();
    return std::exchange(shared_, nullptr)->wait().get();
  }
  /// True when the answer is there before `bound` is over.
  template <class Rep, class Period>
  bool wait_for(std::chrono::duration<Rep, Period> bound) const {
    if (bound > bound.zero())
      detail::refuse_to_wait();
    return shared_->wait_until(std::chrono::steady_clock::now() + bound);
  }
  /// Has `on` call `next` with the outcome, once it is there. Without `on`, a thread of the library calls it: then it
  /// must neither wait nor throw.
  void then(std::function<void(outcome<T>)> next, executor on = {}) {
    auto shared = std::exchange(shared_, nullptr);
    if (!on)
      return shared->then(std::move(next));
    shared->then([next = std::move(next), on = std::move(on)](outcome<T> result) {
      on([next, kept = std::make_shared<outcome<T>>(std::move(result))] { next(std::move(*kept)); });
    });
  }
  /// False after `get` or `then`, and without a request: then nothing else may be called.
  bool valid() const {
    return shared_ != nullptr;
  }

private:
  std::shared_ptr<detail::pending<T>> shared_;
};

} // namespace gnomon::inline GNOMON_ABI
