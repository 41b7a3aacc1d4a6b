#pragma once

#include "storage/kv_store.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace gnomon {

/// Makes a folder and those above it. Other nodes that start at this moment try the same, and remove what they made for
/// their checks.
std::error_code make_folder(const std::filesystem::path& folder);

/// Takes all rights from others, group and all, on the folder and everything in it. What belongs to another user stays
/// as it is, with a line in the log.
void make_private(const std::filesystem::path& folder);

/// The identity of this node from now on: that of the first of its stores. A store that was restored gets a new
/// incarnation, because it would otherwise give out names again that it gave to versions after the backup.
///
/// The file DIRECTORY/identity shows a restore: it records the stores' starts and its own inode. A copy has another
/// inode, and a store that was put back has another start. When neither differs (a disk image or a file system that was
/// set back), the operator says so with `restored`. Errors: store_failed, store_corrupt.
expected<store_identity> settle_identity(const std::string& directory,
                                         const std::vector<std::shared_ptr<kv_store>>& stores, bool restored);

} // namespace gnomon
