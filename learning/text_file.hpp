#pragma once

#include "runtime/base/error.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon::learning {

/// Reads a text file line by line, gzipped or not.
class text_file {
public:
  /// Errors: not_found.
  static expected<text_file> open(const std::string& path);
  /// False at the end. Lines over 1 MiB are cut into several.
  bool next(std::string& line);

private:
  struct closer {
    void operator()(void* file) const;
  };
  std::unique_ptr<void, closer> file_;
};

/// The parts of `line` between blanks, none of them empty; and those between separators, which may be empty.
std::vector<std::string_view> words(std::string_view line);
std::vector<std::string_view> cells(std::string_view line, char separator);

} // namespace gnomon::learning
