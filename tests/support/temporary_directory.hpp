#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include <stdlib.h>

namespace gnomon::test {

/// A directory of its own that goes with the object.
class temporary_directory {
public:
  temporary_directory() : path_((std::filesystem::temp_directory_path() / "gnomon-test-XXXXXX").string()) {
    if (!mkdtemp(path_.data()))
      throw std::runtime_error("cannot create " + path_);
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::string& path() const {
    return path_;
  }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

private:
  std::string path_;
};

} // namespace gnomon::test
