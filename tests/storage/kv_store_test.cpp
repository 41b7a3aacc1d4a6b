#define CAF_SUITE kv_store
#include "storage/kv_store.hpp"

#include "tests/support/memory_store.hpp"
#include "tests/support/temporary_directory.hpp"

#include <caf/test/dsl.hpp>

#include <csignal>
#include <fstream>
#include <random>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace gnomon;
using test::memory_store;
using test::temporary_directory;

namespace {

std::unique_ptr<kv_store> opened(const std::string& path) {
  auto store = open_level_store(path);
  if (!store)
    CAF_FAIL(sentence_of(store.error()));
  return std::move(*store);
}

expected<void> put(kv_store& store, const std::string& key, const std::string& value) {
  kv_write write{key, value};
  return store.apply({&write, 1});
}

std::string value_of(kv_store& store, const std::string& key) {
  auto value = store.get(key);
  return value && *value ? **value : "none";
}

/// The sentence of the refusal, after checks that it has the code and names the path.
std::string refusal(const std::string& path, ec code) {
  auto store = open_level_store(path);
  CAF_REQUIRE(!store);
  auto sentence = sentence_of(store.error());
  CAF_CHECK_EQUAL(code_of(store.error()), code);
  CAF_CHECK(sentence.find(path) != std::string::npos);
  CAF_MESSAGE(sentence);
  return sentence;
}

/// Does the same to both stores and demands the same answers.
void compare(kv_store& a, kv_store& b, unsigned seed) {
  std::mt19937 random{seed};
  auto key = [&] { return std::string(1, "abrx"[random() % 4]) + std::to_string(random() % 20); };
  for (int step = 0; step < 30; ++step) {
    std::vector<std::pair<std::string, std::string>> data;
    for (auto n = random() % 5; n > 0; --n)
      data.emplace_back(key(), std::to_string(random()));
    std::vector<kv_write> writes;
    for (const auto& [k, v] : data)
      writes.push_back({k, random() % 3 ? std::optional<std::string_view>{v} : std::nullopt});
    CAF_REQUIRE(a.apply(writes));
    CAF_REQUIRE(b.apply(writes));
    auto first = key(), last = random() % 4 ? key() : std::string{};
    auto limit = random() % 8;
    auto keys_only = random() % 2 == 0;
    auto x = a.scan(first, last, limit, keys_only), y = b.scan(first, last, limit, keys_only);
    CAF_REQUIRE(x->entries == y->entries);
    CAF_REQUIRE_EQUAL(x->more, y->more);
    CAF_REQUIRE(*a.get(first) == *b.get(first));
  }
}

/// Another process that holds a store, as LevelDB does it.
class other_holder {
public:
  explicit other_holder(const std::string& path) {
    int ready[2];
    CAF_REQUIRE_EQUAL(pipe(ready), 0);
    child_ = fork();
    if (child_ == 0) {
      struct flock whole {};
      whole.l_type = F_WRLCK;
      auto locked = fcntl(open((path + "/LOCK").c_str(), O_RDWR), F_SETLK, &whole) == 0;
      if (write(ready[1], "x", locked) == 1)
        sleep(60);
      _exit(1);
    }
    close(ready[1]);
    char byte = 0;
    CAF_REQUIRE_EQUAL(read(ready[0], &byte, 1), 1);
    close(ready[0]);
  }
  ~other_holder() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

private:
  pid_t child_;
};

/// Files of this process can grow no further while it lives.
class full_disk {
public:
  explicit full_disk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    auto now = before_;
    now.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~full_disk() {
    setrlimit(RLIMIT_FSIZE, &before_);
  }

private:
  rlimit before_{};
};

/// The superuser may write everywhere: become somebody else for a while.
class plain_user {
public:
  plain_user() : before_(geteuid()) {
    if (before_ == 0)
      seteuid_or_fail(65534);
  }
  ~plain_user() {
    seteuid_or_fail(before_);
  }

private:
  static void seteuid_or_fail(uid_t user) {
    if (seteuid(user) != 0)
      std::abort();
  }
  uid_t before_;
};

} // namespace

CAF_TEST(what_was_written_is_there_after_reopening) {
  temporary_directory dir;
  {
    auto store = opened(dir / "deep/er");
    CAF_CHECK(put(*store, "key", "value"));
    CAF_CHECK(put(*store, std::string("nul\0key", 7), std::string(3u << 20, '\0')));
  }
  auto store = opened(dir / "deep/er");
  CAF_CHECK_EQUAL(value_of(*store, "key"), "value");
  CAF_CHECK_EQUAL(value_of(*store, std::string("nul\0key", 7)).size(), 3u << 20);
  CAF_CHECK_EQUAL(value_of(*store, "no such key"), "none");
}

CAF_TEST(a_store_keeps_its_incarnation_and_counts_its_starts) {
  temporary_directory dir;
  auto first = opened(dir / "a")->identity();
  auto second = opened(dir / "a")->identity();
  CAF_CHECK_EQUAL(first.incarnation, second.incarnation);
  CAF_CHECK_EQUAL(first.start, 1u);
  CAF_CHECK_EQUAL(second.start, 2u);
  CAF_CHECK_NOT_EQUAL(opened(dir / "b")->identity().incarnation, first.incarnation);
}

CAF_TEST(the_store_of_the_tests_behaves_like_the_real_one) {
  temporary_directory dir;
  for (unsigned seed = 0; seed < 5; ++seed) {
    auto level = opened(dir / std::to_string(seed));
    memory_store memory;
    memory.entries().clear();
    memory.entries().emplace("midentity", value_of(*level, "midentity"));
    compare(*level, memory, seed);
  }
}

CAF_TEST(a_page_ends_after_its_bound_of_bytes) {
  temporary_directory dir;
  auto store = opened(dir / "store");
  for (auto key : {"a", "b", "c"})
    CAF_REQUIRE(put(*store, key, std::string(kv_store::max_page_bytes * 2 / 3, 'x')));
  auto page = store->scan("a", "d", 100, false);
  CAF_REQUIRE(page);
  CAF_CHECK_EQUAL(page->entries.size(), 2u);
  CAF_CHECK(page->more);
}

CAF_TEST(a_store_that_is_held_by_this_process_is_refused) {
  temporary_directory dir;
  auto store = opened(dir / "store");
  refusal(dir / "store", ec::store_locked);
}

CAF_TEST(a_store_that_is_held_by_another_process_is_refused) {
  temporary_directory dir;
  auto path = dir / "store";
  opened(path);
  other_holder other{path};
  refusal(path, ec::store_locked);
}

CAF_TEST(a_path_that_cannot_be_a_store_is_refused) {
  temporary_directory dir;
  std::ofstream{dir / "file"} << "x";
  CAF_CHECK(refusal(dir / "file", ec::store_failed).find("is a file") != std::string::npos);
  refusal(dir / "file/below", ec::store_failed);
  refusal("/proc/gnomon", ec::store_failed);
  refusal("", ec::store_failed);
}

CAF_TEST(a_read_only_directory_is_refused) {
  temporary_directory dir;
  auto path = dir / "store";
  opened(path);
  std::filesystem::permissions(dir.path(), std::filesystem::perms{0755});
  std::filesystem::permissions(path, std::filesystem::perms{0555});
  for (const auto& file : std::filesystem::directory_iterator{path})
    std::filesystem::permissions(file, std::filesystem::perms{0444});
  plain_user nobody;
  CAF_CHECK(refusal(path, ec::store_failed).find("writable") != std::string::npos);
  CAF_CHECK(refusal(path + "/new", ec::store_failed).find("created") != std::string::npos);
}

CAF_TEST(a_damaged_store_is_refused) {
  temporary_directory dir;
  auto path = dir / "store";
  opened(path);
  for (const auto& file : std::filesystem::directory_iterator{path})
    if (file.path().extension() == ".log" || file.path().extension() == ".ldb") {
      std::fstream bytes{file.path(), std::ios::in | std::ios::out};
      bytes.seekp(10);
      bytes << "damage";
    }
  auto store = open_level_store(path);
  CAF_REQUIRE(!store);
  CAF_CHECK_EQUAL(code_of(store.error()), ec::store_corrupt);
  CAF_MESSAGE(sentence_of(store.error()));
}

CAF_TEST(a_store_that_lost_its_current_file_is_not_made_anew_over_the_remains) {
  temporary_directory dir;
  auto path = dir / "store";
  opened(path);
  std::filesystem::remove(path + "/CURRENT");
  refusal(path, ec::store_corrupt);
  CAF_CHECK(!std::filesystem::is_empty(path));
}

CAF_TEST(after_the_disk_was_full_writes_resume_and_nothing_acknowledged_is_lost) {
  temporary_directory dir;
  auto path = dir / "store";
  auto store = opened(path);
  CAF_REQUIRE(put(*store, "before", "1"));
  {
    full_disk disk{256 * 1024};
    auto failed = put(*store, "too much", std::string(1u << 20, 'x'));
    CAF_REQUIRE(!failed);
    CAF_CHECK_EQUAL(code_of(failed.error()), ec::store_failed);
    CAF_CHECK(!put(*store, "still full", "x"));
    CAF_CHECK_EQUAL(value_of(*store, "before"), "1");
  }
  CAF_CHECK(put(*store, "after", "2"));
  CAF_CHECK_EQUAL(value_of(*store, "before"), "1");
  store.reset();
  store = opened(path);
  CAF_CHECK_EQUAL(value_of(*store, "before"), "1");
  CAF_CHECK_EQUAL(value_of(*store, "after"), "2");
  CAF_CHECK_EQUAL(value_of(*store, "too much"), "none");
}
