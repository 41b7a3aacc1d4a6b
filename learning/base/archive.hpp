#pragma once

#include "runtime/base/error.hpp"

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Model files: a header (magic, kind, version, length, checksum) and numbers in little-endian byte order, which all
/// supported machines share.
namespace gnomon::learning {

/// The kinds of sealed files. A kind's version grows whenever its content changes shape.
enum class model_kind : uint32_t {
  user_parts = 1,
  demand = 2,
  user_state = 3,
  trained_models = 4,
  predictor_state = 5
};

/// Appends plain numbers, vectors of them and strings.
class writer {
public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const std::vector<T>& values) {
    put(static_cast<uint64_t>(values.size()));
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void put(std::string_view text) {
    put(static_cast<uint64_t>(text.size()));
    bytes_.append(text);
  }
  std::string take() {
    return std::move(bytes_);
  }
  size_t size() const {
    return bytes_.size();
  }

private:
  std::string bytes_;
};

/// Reads what `writer` wrote. Never reads past the end: such a read fails and returns zeroes, and so do all later ones.
class reader {
public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void get(T& value) {
    value = T{};
    if (has(sizeof value))
      take(&value, sizeof value);
  }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void get(std::vector<T>& values) {
    values.clear();
    auto count = length(sizeof(T));
    values.resize(count);
    take(values.data(), count * sizeof(T));
  }
  void get(std::string& text) {
    text.resize(length(1));
    take(text.data(), text.size());
  }
  /// True while nothing was read past the end.
  bool good() const {
    return good_;
  }
  /// Declares the data unusable, for impossible values.
  void fail() {
    good_ = false;
  }
  bool at_end() const {
    return rest_.empty();
  }

private:
  bool has(size_t bytes) {
    good_ = good_ && bytes <= rest_.size();
    return good_;
  }
  size_t length(size_t element) {
    uint64_t count = 0;
    get(count);
    // Divided, not multiplied: a forged count must not overflow.
    good_ = good_ && count <= rest_.size() / element;
    return good_ ? count : 0;
  }
  void take(void* to, size_t bytes) {
    if (bytes > 0)
      std::memcpy(to, rest_.data(), bytes);
    rest_.remove_prefix(bytes);
  }

  std::string_view rest_;
  bool good_ = true;
};

/// `payload` with its header before it.
std::string seal(model_kind kind, uint32_t version, std::string_view payload);

/// The payload inside `file`. Errors, each a bad_message with its own sentence: too short for its header, not a model,
/// another kind, a version newer than `newest` (or older than `oldest`), truncated, corrupted.
expected<std::string_view> unseal(std::string_view file, model_kind kind, uint32_t oldest, uint32_t newest);
/// The same for the first of several sealed pieces in a row, which it removes from `file`.
expected<std::string_view> unseal_next(std::string_view& file, model_kind kind, uint32_t oldest, uint32_t newest);

} // namespace gnomon::learning
