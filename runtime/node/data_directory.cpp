#include "runtime/node/data_directory.hpp"

#include "runtime/base/byte_source.hpp"
#include "runtime/base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gnomon {

namespace {

constexpr auto preface =
    "# Who this node is. Not to be edited. A copy of it is noticed at the next start, which then takes\n"
    "# a new incarnation.\n";
constexpr size_t longest_note = 64u << 10;

/// What the file says of stores that were opened `starts_ago` starts before the ones given.
std::string note(const std::vector<store_identity>& stores, uint64_t starts_ago, ino_t inode) {
  std::string text = fmt::format("{}inode {}\n", preface, inode);
  for (const auto& store : stores)
    text += fmt::format("store {:016x} start {}\n", store.incarnation, store.start - starts_ago);
  return text;
}

ino_t inode_of(const std::string& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 ? facts.st_ino : 0;
}

/// Keeps the file, and so its inode, once there is one. A crash in the middle costs a new incarnation, no more.
expected<void> write_note(const std::string& file, const std::vector<store_identity>& stores) {
  auto fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  struct stat facts {};
  auto good = fd >= 0 && ::fstat(fd, &facts) == 0 && ::ftruncate(fd, 0) == 0;
  if (good) {
    auto text = note(stores, 0, facts.st_ino);
    good = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  }
  auto reason = std::strerror(errno);
  if (fd >= 0)
    ::close(fd);
  if (good)
    return caf::unit;
  return make_error(ec::store_failed,
                    fmt::format("{} cannot be written ({}); make it writable for this user", file, reason));
}

} // namespace

std::error_code make_folder(const std::filesystem::path& folder) {
  constexpr int tries = 100;
  std::error_code problem;
  for (int i = 0; i < tries; ++i) {
    std::filesystem::create_directories(folder, problem);
    if (problem != std::errc::no_such_file_or_directory) // else a folder above it has just been removed
      break;
  }
  return problem;
}

void make_private(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  constexpr auto others = fs::perms::group_all | fs::perms::others_all;
  std::error_code problem, failed;
  auto restrict = [&](const fs::path& place) {
    std::error_code refused;
    const auto status = fs::symlink_status(place, refused);
    if (!refused && !fs::is_symlink(status) && (status.permissions() & others) != fs::perms::none)
      fs::permissions(place, others, fs::perm_options::remove, refused);
    if (refused && refused != std::errc::no_such_file_or_directory)
      failed = refused;
  };
  restrict(folder);
  for (fs::recursive_directory_iterator i{folder, problem}, end; !problem && i != end; i.increment(problem))
    restrict(i->path());
  if (failed || problem)
    log::warn("gnomond", "data-not-private",
              {{"data_dir", folder.string()}, {"reason", (failed ? failed : problem).message()}});
}

expected<store_identity> settle_identity(const std::string& directory,
                                         const std::vector<std::shared_ptr<kv_store>>& stores, bool restored) {
  auto file = directory + "/identity";
  std::vector<store_identity> now;
  for (const auto& store : stores)
    now.push_back(store->identity());
  auto is_new = std::all_of(now.begin(), now.end(), [](const store_identity& s) { return s.start == 1; });
  const auto known = read_all(file, longest_note);
  auto continues = known && *known == note(now, 1, inode_of(file));
  if (restored || (!is_new && !continues)) {
    auto redrawn = begin_incarnation(*stores.front());
    if (!redrawn)
      return redrawn.error();
    now.front() = *redrawn;
    log::warn("gnomond", "new-incarnation",
              {{"reason", restored ? "node.restored is set" : "the data directory was copied or restored"}});
  }
  auto noted = std::all_of(stores.begin(), stores.end(), [](const auto& store) { return store->start_is_noted(); });
  if (!noted) // on a full disk; the next start will count as this one
    return now.front();
  if (auto written = write_note(file, now); !written)
    return written.error();
  return now.front();
}

} // namespace gnomon
