#pragma once

#include "runtime/base/error.hpp"

#include <string>
#include <string_view>

/// Files with secrets, which belong to one user alone.
namespace gnomon {

/// All bytes of a file that no one but its owner may read or write. The owner must be this user or root.
/// Errors: bad_config, with a sentence that names the file and says what to do.
expected<std::string> read_private(const std::string& file);

/// Writes a file that was not there, with `mode` (0600 for secrets), and syncs it. Errors: bad_config when something is
/// there already, or when it cannot be written; then nothing of it stays.
caf::error write_new(const std::string& file, std::string_view text, unsigned mode);

} // namespace gnomon
