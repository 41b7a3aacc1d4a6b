#include "runtime/replay/work_folder.hpp"

#include <cstdlib>

namespace gnomon::replay {

namespace fs = std::filesystem;

expected<std::unique_ptr<work_folder>> work_folder::make(const fs::path& keep) {
  std::error_code failure;
  if (!keep.empty()) {
    if (fs::exists(keep) && !fs::is_empty(keep, failure))
      return make_error(ec::invalid_argument, "--keep " + keep.string() + ": exists already; name a new folder");
    fs::create_directories(keep, failure);
    if (failure)
      return make_error(ec::store_failed, "--keep " + keep.string() + ": " + failure.message());
    return std::unique_ptr<work_folder>{new work_folder{fs::absolute(keep), true}};
  }
  auto pattern = (fs::temp_directory_path(failure) / "gnomon-replay-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    return make_error(ec::store_failed, "cannot create a folder like " + pattern + "; set TMPDIR to one with space");
  return std::unique_ptr<work_folder>{new work_folder{pattern, false}};
}

work_folder::~work_folder() {
  std::error_code ignored;
  if (!keep_)
    fs::remove_all(path_, ignored);
}

} // namespace gnomon::replay
