#pragma once

#include "storage/kv_store.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gnomon {

/// Who this node is from now on: the identity of the first of its stores, with a new incarnation when a store was
/// restored, since the versions it wrote after that backup have names which it would give out again.
///
/// That is noticed by the file DIRECTORY/identity, which notes the stores' starts and its own inode: a copy has another
/// inode, a store that was put back another start. What neither shows (a disk image or a file system that was set back)
/// the operator says with `restored`. Errors: store_failed, store_corrupt.
expected<store_identity> settle_identity(const std::string& directory,
                                         const std::vector<std::shared_ptr<kv_store>>& stores, bool restored);

} // namespace gnomon
