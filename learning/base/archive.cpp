#include "learning/base/archive.hpp"

#include "runtime/base/ids.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace gnomon::learning {

namespace {

constexpr std::string_view magic = "GNOMODEL";
constexpr size_t length_at = 8 + 4 + 4;
constexpr size_t header_bytes = length_at + 8 + 8;

std::string_view name(model_kind kind) {
  switch (kind) {
  case model_kind::user_parts:
    return "user model";
  case model_kind::demand:
    return "demand model";
  case model_kind::user_state:
    return "state of the user model";
  case model_kind::trained_models:
    return "set of trained models";
  case model_kind::predictor_state:
    return "state of the predictor";
  }
  return "unknown kind of model";
}

} // namespace

std::string seal(model_kind kind, uint32_t version, std::string_view payload) {
  writer out;
  for (char c : magic)
    out.put(c);
  out.put(static_cast<uint32_t>(kind));
  out.put(version);
  out.put(static_cast<uint64_t>(payload.size()));
  // The header is part of what is summed: a flipped bit in the version must not pass either.
  out.put(stable_hash(payload, (uint64_t{version} << 32) | static_cast<uint32_t>(kind)));
  return out.take().append(payload);
}

expected<std::string_view> unseal(std::string_view file, model_kind kind, uint32_t oldest, uint32_t newest) {
  if (file.size() < header_bytes)
    return make_error(ec::bad_message, fmt::format("the model file is truncated: {} bytes, and its header alone has {}",
                                                   file.size(), header_bytes));
  if (file.substr(0, magic.size()) != magic)
    return make_error(ec::bad_message, "this is not a model file: it does not begin with GNOMODEL");
  reader in{file.substr(magic.size())};
  uint32_t found_kind = 0, version = 0;
  uint64_t length = 0, checksum = 0;
  in.get(found_kind);
  in.get(version);
  in.get(length);
  in.get(checksum);
  auto payload = file.substr(header_bytes);
  if (found_kind != static_cast<uint32_t>(kind))
    return make_error(ec::bad_message, fmt::format("the file holds a {}, not a {}",
                                                   name(static_cast<model_kind>(found_kind)), name(kind)));
  if (version > newest || version < oldest)
    return make_error(ec::bad_message,
                      fmt::format("the {} has version {}, and this program reads {} to {}: {}", name(kind), version,
                                  oldest, newest, version > newest ? "install a newer one" : "train it again"));
  if (payload.size() != length)
    return make_error(ec::bad_message, fmt::format("the {} is truncated: {} of {} bytes; copy it again", name(kind),
                                                   payload.size(), length));
  if (stable_hash(payload, (uint64_t{version} << 32) | found_kind) != checksum)
    return make_error(ec::bad_message,
                      fmt::format("the {} is corrupted: its checksum does not match; copy it again", name(kind)));
  return payload;
}

expected<std::string_view> unseal_next(std::string_view& file, model_kind kind, uint32_t oldest, uint32_t newest) {
  uint64_t length = 0;
  reader in{file.substr(std::min(length_at, file.size()))};
  in.get(length);
  const auto piece = file.substr(0, header_bytes + std::min<uint64_t>(length, file.size()));
  file.remove_prefix(piece.size());
  return unseal(piece, kind, oldest, newest);
}

} // namespace gnomon::learning
