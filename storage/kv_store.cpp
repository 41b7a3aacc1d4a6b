#include "storage/kv_store.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/base/inspect.hpp"
#include "storage/archive.hpp"
#include "storage/keys.hpp"

namespace gnomon {

expected<store_identity> begin_start(kv_store& store) {
  constexpr frame_kind kind{'I', 1, "store identity"};
  auto key = keys::meta("identity");
  auto stored = store.get(key);
  if (!stored)
    return stored.error();
  store_identity identity{random_u64(), 0};
  if (*stored) {
    auto decoded = decode_as<store_identity>(kind, **stored);
    if (!decoded)
      return decoded.error();
    identity = *decoded;
  }
  ++identity.start;
  auto bytes = encode_as(kind, identity);
  kv_write write{key, bytes};
  if (auto done = store.apply({&write, 1}); !done)
    return done.error();
  return identity;
}

} // namespace gnomon
