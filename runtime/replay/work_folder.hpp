#pragma once

#include "runtime/base/error.hpp"

#include <filesystem>
#include <memory>

namespace gnomon::replay {

/// A folder for the nodes' data and logs: a temporary one, which the destructor removes, or one that the user keeps.
class work_folder {
public:
  /// Makes a temporary folder when `keep` is empty. Errors: invalid_argument (`keep` is not empty), store_failed.
  static expected<std::unique_ptr<work_folder>> make(const std::filesystem::path& keep);
  ~work_folder();
  work_folder(const work_folder&) = delete;
  work_folder& operator=(const work_folder&) = delete;

  const std::filesystem::path& path() const {
    return path_;
  }

private:
  work_folder(std::filesystem::path path, bool keep) : path_(std::move(path)), keep_(keep) {}

  std::filesystem::path path_;
  bool keep_;
};

} // namespace gnomon::replay
