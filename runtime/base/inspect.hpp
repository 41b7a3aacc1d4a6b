#pragma once

#include <caf/error.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/save_callback.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>

/// How our types travel through CAF 0.17.6. A port to CAF 1.x changes this header and `actors/messages/protocol.hpp`
/// first.
namespace gnomon {

/// A type that lists its members once, as `auto fields() { return std::tie(a, b); }`, can travel in messages.
template <class T>
concept has_fields = requires(T& x) {
  x.fields();
};

template <class Inspector, has_fields T>
typename Inspector::result_type inspect(Inspector& f, T& x) {
  return std::apply([&](auto&... xs) { return f(xs...); }, x.fields());
}

/// A double that travels as its bits: CAF's packer hangs on infinity and garbles NaN and -0.0.
struct real {
  real(double v = 0) : value(v) {}
  operator double() const {
    return value;
  }
  double value;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, real& x) {
  auto bits = std::make_shared<uint64_t>(0);
  std::memcpy(bits.get(), &x.value, sizeof x.value);
  if constexpr (Inspector::reads_state) {
    return f(*bits);
  } else {
    return f(*bits, caf::meta::load_callback([&x, bits] {
      std::memcpy(&x.value, bits.get(), sizeof x.value);
      return caf::error{};
    }));
  }
}

/// Bytes that all their users share. Never changed once made; empty when null.
class blob {
public:
  blob() = default;
  explicit blob(std::string bytes) : bytes_(std::make_shared<const std::string>(std::move(bytes))) {}
  explicit blob(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  const std::string& view() const {
    static const std::string none;
    return bytes_ ? *bytes_ : none;
  }
  size_t size() const {
    return view().size();
  }
  explicit operator bool() const {
    return bytes_ != nullptr;
  }
  const std::shared_ptr<const std::string>& share() const {
    return bytes_;
  }
  bool operator==(const blob& other) const {
    return view() == other.view();
  }

private:
  std::shared_ptr<const std::string> bytes_;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, blob& x) {
  if constexpr (Inspector::reads_state) {
    return f(const_cast<std::string&>(x.view()));
  } else {
    auto loaded = std::make_shared<std::string>();
    return f(*loaded, caf::meta::load_callback([&x, loaded] {
      x = blob{std::shared_ptr<const std::string>{loaded}};
      return caf::error{};
    }));
  }
}

} // namespace gnomon
