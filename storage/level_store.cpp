#include "runtime/base/log.hpp"
#include "storage/kv_store.hpp"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <filesystem>

namespace gnomon {

namespace {

namespace fs = std::filesystem;

leveldb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view view(const leveldb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

/// LevelDB keeps neither errno nor a kind for locks in its status: its text is all there is to go by.
caf::error explain(const leveldb::Status& status, const std::string& path) {
  auto text = status.ToString();
  auto says = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  auto store = "the store " + path;
  if (status.IsCorruption())
    return make_error(ec::store_corrupt, store + " is damaged (" + text
                                             + "); move the directory away and start anew: the other regions give back "
                                               "what they hold");
  if (says("IO error: lock "))
    return make_error(ec::store_locked,
                      store + " is held by another process; stop that process or set another store path");
  if (says("No space left") || says("quota exceeded"))
    return make_error(ec::store_failed,
                      "the disk that holds " + store + " is full; free some space there: writes resume by themselves");
  if (says("Permission denied") || says("Read-only file system") || says("not permitted"))
    return make_error(ec::store_failed, store + " cannot be written (" + text
                                            + "); make the directory writable for this user or set another store path");
  return make_error(ec::store_failed, store + " failed (" + text + "); check the disk");
}

caf::error unusable(const std::string& path, const std::string& why) {
  return make_error(ec::store_failed, "the store path " + path + " " + why + "; set another store path");
}

/// LevelDB would start afresh over the remains of a store that lost its CURRENT file, and delete them.
bool lost_its_root(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path / "CURRENT", ignored))
    return false;
  for (const auto& file : fs::directory_iterator{path, ignored})
    if (file.path().extension() == ".ldb" || file.path().filename().string().rfind("MANIFEST", 0) == 0)
      return true;
  return false;
}

/// Says in our words what LevelDB would say vaguely.
expected<void> prepare_directory(const std::string& path) {
  std::error_code failure;
  if (path.empty())
    return unusable(path, "is empty");
  if (fs::exists(path, failure) && !fs::is_directory(path, failure))
    return unusable(path, "is a file, not a directory");
  fs::create_directories(path, failure);
  if (failure)
    return unusable(path, "cannot be created (" + failure.message() + ")");
  if (lost_its_root(path))
    return explain(leveldb::Status::Corruption("its CURRENT file is missing"), path);
  return caf::unit;
}

class level_store final : public kv_store {
public:
  explicit level_store(std::string path)
      : path_(std::move(path)), filter_(leveldb::NewBloomFilterPolicy(10)), cache_(leveldb::NewLRUCache(32u << 20)) {}

  expected<void> open() {
    leveldb::Options options;
    options.create_if_missing = true;
    options.paranoid_checks = true; // else a damaged log silently loses acknowledged writes
    options.filter_policy = filter_.get();
    options.block_cache = cache_.get();
    options.write_buffer_size = 16u << 20;
    leveldb::DB* db = nullptr;
    auto status = leveldb::DB::Open(options, path_, &db);
    db_.reset(db);
    if (!status.ok())
      return explain(status, path_);
    suspect_ = false;
    return caf::unit;
  }

  expected<void> start() {
    auto identity = begin_start(*this);
    if (!identity)
      return identity.error();
    identity_ = *identity;
    return caf::unit;
  }

  expected<void> apply(std::span<const kv_write> writes) override {
    leveldb::WriteBatch batch;
    for (const auto& w : writes)
      if (w.value)
        batch.Put(slice(w.key), slice(*w.value));
      else
        batch.Delete(slice(w.key));
    if (auto ready = recover(batch.ApproximateSize()); !ready)
      return ready;
    leveldb::WriteOptions synced;
    synced.sync = true;
    auto status = db_->Write(synced, &batch);
    // Opening a damaged database anew would fail, and reads of what is still whole with it.
    suspect_ = !status.ok() && !status.IsCorruption();
    if (!status.ok())
      return explain(status, path_);
    return caf::unit;
  }

  expected<std::optional<std::string>> get(std::string_view key) override {
    if (auto ready = reopen_if_closed(); !ready)
      return ready.error();
    std::string value;
    auto status = db_->Get(checked_reads(), slice(key), &value);
    if (status.IsNotFound())
      return std::optional<std::string>{};
    if (!status.ok())
      return explain(status, path_);
    return std::optional{std::move(value)};
  }

  expected<kv_page> scan(std::string_view first, std::string_view last, size_t limit, bool keys_only) override {
    if (auto ready = reopen_if_closed(); !ready)
      return ready.error();
    auto options = checked_reads();
    options.fill_cache = false; // a walk over the store should not push out what is read again
    std::unique_ptr<leveldb::Iterator> i{db_->NewIterator(options)};
    kv_page page;
    size_t bytes = 0;
    for (i->Seek(slice(first)); i->Valid() && (last.empty() || view(i->key()) < last); i->Next()) {
      if (page.entries.size() >= limit || bytes >= max_page_bytes) {
        page.more = true;
        break;
      }
      page.entries.emplace_back(view(i->key()), keys_only ? std::string_view{} : view(i->value()));
      bytes += page.entries.back().first.size() + page.entries.back().second.size();
    }
    if (!i->status().ok())
      return explain(i->status(), path_);
    return page;
  }

  store_identity identity() const override {
    return identity_;
  }

private:
  static leveldb::ReadOptions checked_reads() {
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    return options;
  }

  /// A failed write can leave half a record in LevelDB's log; what is appended behind it would be lost at the next
  /// start, although LevelDB takes it. So the store is opened anew first, as soon as the disk takes bytes again: before
  /// that it could not be opened, and reads would fail as well.
  expected<void> recover(size_t upcoming_bytes) {
    if (!suspect_)
      return reopen_if_closed();
    if (auto writable = probe(upcoming_bytes); !writable.ok())
      return explain(writable, path_);
    db_.reset();
    log::info("store", "reopening", {{"path", path_}});
    return open();
  }

  expected<void> reopen_if_closed() {
    return db_ ? expected<void>{caf::unit} : open();
  }

  /// Whether the disk takes a batch of that size and some more for LevelDB's own files.
  leveldb::Status probe(size_t upcoming_bytes) const {
    auto file = path_ + "/PROBE";
    auto env = leveldb::Env::Default();
    auto status = leveldb::WriteStringToFile(env, std::string(upcoming_bytes + (1u << 20), 'p'), file);
    env->RemoveFile(file);
    return status;
  }

  std::string path_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_; // gone before the filter and the cache that it uses
  bool suspect_ = false;            // a write failed since it was opened
  store_identity identity_;
};

} // namespace

expected<std::unique_ptr<kv_store>> open_level_store(const std::string& path) {
  if (auto ready = prepare_directory(path); !ready)
    return ready.error();
  auto store = std::make_unique<level_store>(path);
  if (auto opened = store->open(); !opened)
    return opened.error();
  if (auto started = store->start(); !started)
    return started.error();
  return std::unique_ptr<kv_store>{std::move(store)};
}

} // namespace gnomon
