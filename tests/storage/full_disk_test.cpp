// On a small file system of its own, which only root can make; else each test says so and ends.
#define CAF_SUITE full_disk
#include "tests/support/temporary_directory.hpp"

#include "storage/kv_store.hpp"

#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

#include <fcntl.h>
#include <filesystem>
#include <map>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

using namespace gnomon;

namespace {

class small_disk {
public:
  explicit small_disk(size_t megabytes) {
    static auto own_mounts =
        ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    auto size = "size=" + std::to_string(megabytes) + "m";
    mounted_ = own_mounts && ::mount("tmpfs", path().c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (!mounted_)
      CAF_MESSAGE("skipped: no right to mount a small file system");
  }
  ~small_disk() {
    if (mounted_)
      ::umount2(path().c_str(), MNT_DETACH);
  }
  bool mounted() const {
    return mounted_;
  }
  std::string path() const {
    return folder_.path();
  }
  /// Takes all space but `left` bytes.
  void fill(size_t left = 0) {
    auto file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    std::string block(4096, 'f');
    while (::write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size()))
      ;
    if (left > 0)
      CAF_REQUIRE(::ftruncate(file, ::lseek(file, 0, SEEK_END) - static_cast<off_t>(left)) == 0);
    ::close(file);
  }
  void clear() {
    std::filesystem::remove(filler());
  }

private:
  std::string filler() const {
    return path() + "/filler";
  }
  test::temporary_directory folder_;
  bool mounted_ = false;
};

using entries = std::map<std::string, std::string>;

/// Writes until the store refuses; what it took goes into `taken`. Answers the refusal.
caf::error write_until_refused(kv_store& store, entries& taken, size_t most = 100'000) {
  for (size_t i = taken.size(); i < most; ++i) {
    auto key = "r" + std::to_string(i);
    std::string value(1000, static_cast<char>(i * 31 % 251)); // compresses well: what counts is the log
    kv_write write{key, value};
    if (auto done = store.apply({&write, 1}); !done)
      return done.error();
    taken.emplace(key, std::move(value));
  }
  return {};
}

void check(kv_store& store, const entries& taken) {
  size_t wrong = 0;
  for (const auto& [key, value] : taken)
    wrong += unbox(store.get(key)) == value ? 0u : 1u;
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK(unbox(store.scan("r", "s", 1'000'000, true)).entries.size() >= std::min<size_t>(taken.size(), 1));
}

} // namespace

CAF_TEST(a_store_is_read_while_its_disk_is_full_and_written_again_when_there_is_space) {
  small_disk disk{48};
  if (!disk.mounted())
    return;
  auto path = disk.path() + "/store";
  auto store = unbox(open_level_store(path));
  entries taken;
  CAF_REQUIRE(!write_until_refused(*store, taken, 5000));
  disk.fill();
  auto before = taken.size();
  for (int i = 0; i < 5; ++i) {
    auto refusal = write_until_refused(*store, taken);
    CAF_CHECK_EQUAL(code_of(refusal), ec::store_failed);
    CAF_CHECK(sentence_of(refusal).find("full") != std::string::npos);
    CAF_CHECK(!store->takes_writes());
    check(*store, taken);
  }
  CAF_CHECK(taken.size() >= before);
  disk.clear();
  CAF_REQUIRE(!write_until_refused(*store, taken, taken.size() + 1000));
  CAF_CHECK(store->takes_writes());
  check(*store, taken);
  store.reset();
  check(*unbox(open_level_store(path)), taken);
}

CAF_TEST(a_store_whose_disk_is_full_is_opened_for_reading) {
  small_disk disk{48};
  if (!disk.mounted())
    return;
  auto path = disk.path() + "/store";
  entries taken;
  auto first = [&] {
    auto store = unbox(open_level_store(path));
    CAF_REQUIRE(!write_until_refused(*store, taken, 8000)); // most of it lies in the log, which the next start empties
    return store->identity();
  }();
  disk.fill();
  for (int starts = 0; starts < 2; ++starts) {
    auto store = unbox(open_level_store(path));
    CAF_CHECK_EQUAL(store->identity().incarnation, first.incarnation);
    CAF_CHECK_EQUAL(store->identity().start, first.start + 1);
    CAF_CHECK(!store->start_is_noted());
    check(*store, taken);
    CAF_CHECK_EQUAL(code_of(write_until_refused(*store, taken)), ec::store_failed);
    check(*store, taken);
  }
  auto store = unbox(open_level_store(path));
  disk.clear();
  CAF_REQUIRE(!write_until_refused(*store, taken, taken.size() + 1000));
  CAF_CHECK(store->start_is_noted());
  check(*store, taken);
  store.reset();
  store = unbox(open_level_store(path));
  CAF_CHECK_EQUAL(store->identity().start, first.start + 2);
  check(*store, taken);
}

CAF_TEST(a_disk_that_runs_full_under_writes_loses_nothing) {
  small_disk disk{40};
  if (!disk.mounted())
    return;
  auto path = disk.path() + "/store";
  auto store = unbox(open_level_store(path));
  entries taken;
  CAF_REQUIRE(!write_until_refused(*store, taken, 3000));
  disk.fill(8u << 20);
  CAF_CHECK_EQUAL(code_of(write_until_refused(*store, taken)), ec::store_failed);
  check(*store, taken);
  store.reset();
  store = unbox(open_level_store(path));
  check(*store, taken);
}

CAF_TEST(a_value_that_does_not_fit_leaves_room_for_those_that_do) {
  small_disk disk{48};
  if (!disk.mounted())
    return;
  auto store = unbox(open_level_store(disk.path() + "/store"));
  std::string large(60u << 20, 'x');
  kv_write write{"rlarge", large};
  CAF_CHECK(!store->apply({&write, 1}));
  entries taken;
  CAF_CHECK(!write_until_refused(*store, taken, 1000));
  check(*store, taken);
}
