#include "storage/kv_store.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/inspect.hpp"
#include "runtime/base/log.hpp"
#include "storage/archive.hpp"
#include "storage/keys.hpp"

namespace gnomon {

namespace {

constexpr frame_kind identity_kind{'I', 1, "store identity"};

expected<store_identity> keep(kv_store& store, const store_identity& identity) {
  auto key = keys::meta("identity");
  auto bytes = encode_as(identity_kind, identity);
  kv_write write{key, bytes};
  if (auto done = store.apply({&write, 1}); !done)
    return done.error();
  return identity;
}

} // namespace

const std::vector<kv_loss>& kv_store::losses() const {
  static const std::vector<kv_loss> none;
  return none;
}

expected<store_identity> begin_start(kv_store& store) {
  auto stored = store.get(keys::meta("identity"));
  if (!stored)
    return stored.error();
  store_identity identity{random_u64(), 0};
  if (*stored) {
    if (auto decoded = decode_as<store_identity>(identity_kind, **stored))
      identity = *decoded;
    else // as if it had been created anew: what it names from now on bears another name
      log::error("store", "identity-lost", {{"reason", sentence_of(decoded.error())}});
  }
  ++identity.start;
  return keep(store, identity);
}

expected<store_identity> begin_incarnation(kv_store& store) {
  return keep(store, {random_u64(), store.identity().start});
}

} // namespace gnomon
