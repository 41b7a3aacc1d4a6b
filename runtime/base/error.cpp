#include "runtime/base/error.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/sec.hpp>

#include <array>

namespace gnomon::inline GNOMON_ABI {

namespace {

constexpr std::array<std::string_view, 20> names{
    "none",         "invalid-argument", "not-found",        "gone",        "precondition-failed",
    "too-large",    "not-here",         "forbidden-region", "unavailable", "not-enough-acks",
    "too-old",      "timeout",          "overloaded",       "peer-gone",   "rejected",
    "store-failed", "store-locked",     "store-corrupt",    "bad-config",  "bad-message"};

} // namespace

std::string_view name(ec code) {
  auto i = static_cast<size_t>(code);
  return i < names.size() ? names[i] : "internal";
}

std::string to_string(ec code) {
  return std::string{name(code)};
}

ec code_of(const caf::error& err) {
  if (err.category() == caf::detail::error_factory<ec>::category)
    return static_cast<ec>(err.code());
  if (err == caf::sec::request_timeout)
    return ec::timeout;
  if (err == caf::sec::request_receiver_down || err == caf::sec::runtime_error)
    return ec::unavailable;
  return ec::internal;
}

std::string sentence_of(const caf::error& err) {
  const auto& context = err.context();
  if (context.match_elements<std::string>() && !context.get_as<std::string>(0).empty())
    return context.get_as<std::string>(0);
  switch (code_of(err)) {
  case ec::timeout:
    return "no answer within the bound; try again";
  case ec::unavailable:
    return "the part that was asked is being restarted; try again";
  default:
    return std::string{name(code_of(err))};
  }
}

} // namespace gnomon::inline GNOMON_ABI

namespace gnomon {

caf::error make_error(ec code, std::string sentence) {
  return caf::error{static_cast<uint8_t>(code), caf::detail::error_factory<ec>::category,
                    caf::make_message(std::move(sentence))};
}

} // namespace gnomon
