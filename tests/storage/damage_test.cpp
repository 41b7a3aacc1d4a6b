#define CAF_SUITE damage
#include "tests/support/temporary_directory.hpp"

#include "storage/kv_store.hpp"

#define FAIL CAF_FAIL
#include <caf/test/dsl.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

using namespace gnomon;
using test::temporary_directory;
namespace fs = std::filesystem;

namespace {

using entries = std::map<std::string, std::string>;

std::unique_ptr<kv_store> opened(const std::string& path) {
  return unbox(open_level_store(path));
}

std::string key_of(int number) {
  auto digits = std::to_string(number);
  return "ritem/" + std::string(6 - digits.size(), '0') + digits;
}

/// Incompressible, so that the tables have many blocks.
std::string value_of(int number, int version) {
  std::string value;
  for (uint64_t x = static_cast<uint64_t>(number) * 7919 + static_cast<uint64_t>(version); value.size() < 100;) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    value.push_back(static_cast<char>(x >> 56));
  }
  return value;
}

void put(kv_store& store, const entries& all) {
  std::vector<kv_write> writes;
  for (const auto& [key, value] : all)
    writes.push_back({key, value});
  CAF_REQUIRE(store.apply(writes));
}

entries some(int first, int last, int version, int step = 1) {
  entries all;
  for (int i = first; i < last; i += step)
    all.emplace(key_of(i), value_of(i, version));
  return all;
}

/// As a walker reads: page after page.
expected<entries> walk(kv_store& store) {
  entries all;
  std::string from = "r";
  for (;;) {
    auto page = store.scan(from, "s", 100, false);
    if (!page)
      return page.error();
    for (auto& [key, value] : page->entries)
      all.emplace(key, value);
    if (!page->more)
      return all;
    from = page->entries.back().first + '\0';
  }
}

bool is_lost(const kv_store& store, const std::string& key) {
  return std::any_of(store.losses().begin(), store.losses().end(),
                     [&](const kv_loss& loss) { return key >= loss.first && (loss.last.empty() || key < loss.last); });
}

/// Each entry is as it was written last, or absent and named as lost.
void check(kv_store& store, const entries& written) {
  auto found = unbox(walk(store));
  size_t wrong = 0, unnamed = 0, other = 0;
  for (const auto& [key, value] : written) {
    auto i = found.find(key);
    auto got = unbox(store.get(key));
    other += got != (i == found.end() ? std::nullopt : std::optional{i->second}) ? 1u : 0u;
    wrong += i != found.end() && i->second != value ? 1u : 0u;
    unnamed += i == found.end() && !is_lost(store, key) ? 1u : 0u;
  }
  for (const auto& [key, value] : found)
    wrong += written.count(key) == 0 ? 1u : 0u;
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(unnamed, 0u);
  CAF_CHECK_EQUAL(other, 0u);
}

std::vector<fs::path> files_of(const std::string& path, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator{path})
    if (file.path().extension() == extension)
      files.push_back(file.path());
  std::sort(files.begin(), files.end());
  return files;
}

void flip(const fs::path& file, uint64_t at) {
  std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
  bytes.seekg(static_cast<std::streamoff>(at));
  auto byte = bytes.get();
  bytes.seekp(static_cast<std::streamoff>(at));
  bytes.put(static_cast<char>(byte ^ 0x5a));
}

/// What comes of the copy of a store that `spoil` has spoiled: it opens, and nothing is lost in silence, or it is
/// refused with a sentence that names it.
template <class F>
bool opens_spoiled(const std::string& original, const entries& written, F spoil) {
  temporary_directory dir;
  auto path = dir / "copy";
  fs::copy(original, path, fs::copy_options::recursive);
  spoil(path);
  auto store = open_level_store(path);
  if (!store) {
    CAF_CHECK(sentence_of(store.error()).find(path) != std::string::npos);
    CAF_MESSAGE(sentence_of(store.error()));
    return false;
  }
  check(**store, written);
  put(**store, some(0, 5000, 3)); // writes, and the compactions that follow them, go on
  auto lost_before = (*store)->losses().size();
  store->reset();
  auto again = opened(path);
  check(*again, some(0, 5000, 3));
  CAF_CHECK(again->losses().size() <= lost_before);
  return true;
}

/// A store with entries in several tables, older and newer ones of the same keys, erased ones, and some in the log.
entries make_store(const std::string& path) {
  entries all = some(0, 5000, 1);
  put(*opened(path), all);
  auto newer = some(0, 5000, 2, 3);
  {
    auto store = opened(path);
    put(*store, newer);
    std::vector<std::string> gone;
    for (int i = 1; i < 5000; i += 7)
      gone.push_back(key_of(i));
    std::vector<kv_write> erases;
    for (const auto& key : gone)
      erases.push_back({key, std::nullopt});
    CAF_REQUIRE(store->apply(erases));
    for (auto& [key, value] : newer)
      all[key] = value;
    for (const auto& key : gone)
      all.erase(key);
  }
  auto last = some(0, 5000, 4, 50);
  auto store = opened(path);
  put(*store, last);
  for (auto& [key, value] : last)
    all[key] = value;
  return all;
}

} // namespace

CAF_TEST(one_wrong_byte_costs_one_block) {
  temporary_directory dir;
  auto written = some(0, 20'000, 1);
  put(*opened(dir / "store"), written);
  opened(dir / "store"); // moves the log into a table
  auto table = files_of(dir / "store", ".ldb").front();
  flip(table, fs::file_size(table) / 2);
  auto store = opened(dir / "store");
  check(*store, written);
  auto left = unbox(walk(*store)).size();
  CAF_CHECK(left < 20'000u);
  CAF_CHECK(left > 19'900u);
  CAF_CHECK_EQUAL(store->losses().size(), 1u);
  CAF_CHECK(!store->losses().front().reason.empty());
}

CAF_TEST(a_store_with_a_loss_names_what_it_writes_anew) {
  temporary_directory dir;
  put(*opened(dir / "store"), some(0, 20'000, 1));
  auto before = opened(dir / "store")->identity();
  auto table = files_of(dir / "store", ".ldb").front();
  flip(table, fs::file_size(table) / 2);
  CAF_CHECK(walk(*opened(dir / "store")));
  auto after = opened(dir / "store");
  CAF_CHECK_NOT_EQUAL(after->identity().incarnation, before.incarnation);
  CAF_CHECK(after->losses().empty());
}

CAF_TEST(a_wrong_byte_anywhere_in_a_table_loses_nothing_in_silence) {
  temporary_directory dir;
  auto written = make_store(dir / "store");
  for (const auto& table : files_of(dir / "store", ".ldb")) {
    auto size = fs::file_size(table);
    for (uint64_t i = 0; i < 12; ++i) {
      auto at = i < 8 ? size * i / 8 + i * 37 : size - 1 - (i - 8) * 13; // the index and the footer are at the end
      auto opens = opens_spoiled(dir / "store", written,
                                 [&](const std::string& path) { flip(fs::path{path} / table.filename(), at); });
      CAF_CHECK(opens);
    }
  }
}

CAF_TEST(a_table_that_is_cut_short_loses_nothing_in_silence) {
  temporary_directory dir;
  auto written = make_store(dir / "store");
  for (const auto& table : files_of(dir / "store", ".ldb"))
    for (auto left : {uint64_t{0}, uint64_t{100}, fs::file_size(table) / 2, fs::file_size(table) - 1})
      CAF_CHECK(opens_spoiled(dir / "store", written, [&](const std::string& path) {
        fs::resize_file(fs::path{path} / table.filename(), left);
      }));
}

CAF_TEST(a_table_that_is_not_there_is_named) {
  temporary_directory dir;
  auto written = make_store(dir / "store");
  auto table = files_of(dir / "store", ".ldb").front();
  CAF_CHECK(!opens_spoiled(dir / "store", written,
                           [&](const std::string& path) { fs::remove(fs::path{path} / table.filename()); }));
}

CAF_TEST(a_wrong_byte_in_the_log_or_the_manifest_loses_nothing_in_silence) {
  temporary_directory dir;
  auto written = make_store(dir / "store");
  auto files = files_of(dir / "store", ".log");
  for (const auto& file : fs::directory_iterator{dir / "store"})
    if (file.path().filename().string().starts_with("MANIFEST") || file.path().filename() == "CURRENT")
      files.push_back(file.path());
  for (const auto& file : files) {
    auto size = fs::file_size(file);
    auto step = std::max<uint64_t>(1, size / 40);
    for (uint64_t at = 0; at < size; at += at < 12 ? 1 : step)
      opens_spoiled(dir / "store", written,
                    [&](const std::string& path) { flip(fs::path{path} / file.filename(), at); });
  }
}
