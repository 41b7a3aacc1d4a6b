#pragma once

#include "gnomon/error.hpp"

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/message.hpp>

#include <string>
#include <string_view>

namespace gnomon::inline GNOMON_ABI { // part of gnomon/actors.hpp

/// The code of `err`. Foreign errors (CAF's own) map to the nearest of ours.
ec code_of(const caf::error& err);

/// The sentence inside `err`, without CAF's decoration.
std::string sentence_of(const caf::error& err);

} // namespace gnomon::inline GNOMON_ABI

namespace gnomon {

/// An error of `code` with a sentence for a person.
caf::error make_error(ec code, std::string sentence = {});

template <class T>
using expected = caf::expected<T>;

} // namespace gnomon

CAF_ERROR_CODE_ENUM(gnomon::ec, "gnomon")
