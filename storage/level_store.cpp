#include "runtime/base/log.hpp"
#include "storage/bytes.hpp"
#include "storage/kv_store.hpp"
#include "storage/level_files.hpp"

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/statvfs.h>

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
  if (is_full(status))
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
  for (const auto& file : fs::directory_iterator{path, failure}) {
    auto name = file.path().filename().string();
    if ((name.ends_with(".log") || name.starts_with("MANIFEST")) && has_damaged_end(file.path()))
      return explain(leveldb::Status::Corruption("the end of " + name), path);
  }
  return caf::unit;
}

class level_store final : public kv_store {
public:
  explicit level_store(std::string path)
      : path_(std::move(path)), filter_(leveldb::NewBloomFilterPolicy(10)), cache_(leveldb::NewLRUCache(32u << 20)) {}

  /// Where the disk is full, the store is opened for reading.
  expected<void> open() {
    db_.reset();
    over_disk_.reset();
    auto status = open_on(disk_);
    if (is_full(status) || (started_ && status.IsIOError()))
      return open_for_reading();
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
    started_ = true;
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
    auto status = write(batch);
    if (status.IsCorruption() && mend({}, {})) // met by a compaction
      status = write(batch);
    // Opening a damaged database anew would fail, and reads of what is still whole with it.
    suspect_ = !status.ok() && !status.IsCorruption();
    if (!status.ok())
      return explain(status, path_);
    return caf::unit;
  }

  expected<std::optional<std::string>> get(std::string_view key) override {
    for (auto tries = 0;; ++tries) {
      if (auto ready = reopen_if_closed(); !ready)
        return ready.error();
      std::string value;
      auto status = db_->Get(checked_reads(), slice(key), &value);
      if (status.IsNotFound())
        return std::optional<std::string>{};
      if (status.ok())
        return std::optional{std::move(value)};
      if (tries == most_mendings || !status.IsCorruption() || !mend(std::string{key}, std::string{key} + '\0'))
        return explain(status, path_);
    }
  }

  expected<kv_page> scan(std::string_view first, std::string_view last, size_t limit, bool keys_only) override {
    kv_page page;
    size_t bytes = 0;
    std::string next{first};
    for (auto tries = 0;; ++tries) {
      if (auto ready = reopen_if_closed(); !ready)
        return ready.error();
      auto options = checked_reads();
      options.fill_cache = false; // a walk over the store should not push out what is read again
      std::unique_ptr<leveldb::Iterator> i{db_->NewIterator(options)};
      // What comes behind damage may be older than what was lost: it is not taken.
      for (i->Seek(next); i->status().ok() && i->Valid() && (last.empty() || view(i->key()) < last); i->Next()) {
        page.more = page.entries.size() >= limit || bytes >= max_page_bytes;
        if (page.more)
          return page;
        page.entries.emplace_back(view(i->key()), keys_only ? std::string_view{} : view(i->value()));
        bytes += page.entries.back().first.size() + page.entries.back().second.size();
        next = page.entries.back().first + '\0';
      }
      auto status = i->status();
      if (status.ok())
        return page;
      auto behind = i->Valid() ? i->key().ToString() + '\0' : std::string{};
      i.reset();
      if (tries == most_mendings || !status.IsCorruption() || !mend(next, behind))
        return explain(status, path_);
    }
  }

  store_identity identity() const override {
    return identity_;
  }

  bool takes_writes() const override {
    return !over_disk_ && !suspect_ && room_for(0).ok();
  }

  bool start_is_noted() const override {
    return !over_disk_;
  }

  const std::vector<kv_loss>& losses() const override {
    return losses_;
  }

  uint64_t memory_bytes() const override {
    std::string bytes;
    return db_ && db_->GetProperty("leveldb.approximate-memory-usage", &bytes) ? std::stoull(bytes) : 0;
  }

private:
  static constexpr auto most_mendings = 100; // in one call
  static constexpr auto mending = "/MENDING";

  static leveldb::ReadOptions checked_reads() {
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    return options;
  }

  // -- opening and writing
  leveldb::Status open_on(disk_files& files) {
    db_.reset();
    leveldb::Options options;
    options.env = &files;
    options.create_if_missing = true;
    options.paranoid_checks = true; // else a damaged log silently loses acknowledged writes
    options.filter_policy = filter_.get();
    options.block_cache = cache_.get();
    options.write_buffer_size = 16u << 20;
    options.max_open_files = 400;
    leveldb::DB* db = nullptr;
    auto status = leveldb::DB::Open(options, path_, &db);
    db_.reset(db);
    return status.ok() ? finish_mending(files) : status;
  }

  expected<void> open_for_reading() {
    db_.reset();
    over_disk_ = std::make_unique<files_over_disk>();
    auto status = open_on(*over_disk_);
    over_disk_->sealed = true;
    if (!status.ok())
      return explain(status, path_);
    log::warn("store", "only-read", {{"path", path_}, {"reason", "nothing can be written there"}});
    return caf::unit;
  }

  leveldb::Status write(leveldb::WriteBatch& batch) {
    leveldb::WriteOptions synced;
    synced.sync = true;
    return db_->Write(synced, &batch);
  }

  /// Whether `bytes` more may be written. A failed write can leave half a record in LevelDB's log; what is appended
  /// behind it would be lost at the next start, although LevelDB takes it. So the store is opened anew first, as soon
  /// as the disk has room for that. Until then it goes on being read as it is.
  expected<void> recover(size_t bytes) {
    if (auto ready = reopen_if_closed(); !ready)
      return ready;
    if (over_disk_ && !started_)
      return caf::unit; // the new start is noted on the disk once that takes it
    auto anew = suspect_ || over_disk_;
    if (auto status = room_for(bytes + (anew ? log_bytes() : 0)); !status.ok())
      return explain(status, path_);
    if (!anew)
      return caf::unit;
    if (auto status = probe(bytes + log_bytes()); !status.ok())
      return explain(status, path_);
    log::info("store", "reopening", {{"path", path_}});
    auto unnoted = over_disk_ != nullptr;
    if (auto opened = open(); !opened)
      return opened;
    if (over_disk_)
      return explain(leveldb::Status::IOError(path_, std::strerror(ENOSPC)), path_);
    return unnoted ? note_start() : caf::unit;
  }

  expected<void> reopen_if_closed() {
    return db_ ? expected<void>{caf::unit} : open();
  }

  /// A start on a full disk has its number, but the disk does not know of it yet.
  expected<void> note_start() {
    auto noted = begin_start(*this);
    return noted ? expected<void>{caf::unit} : expected<void>{noted.error()};
  }

  /// Some space is left to LevelDB's own work, which takes no more writes once it has failed.
  leveldb::Status room_for(size_t bytes) const {
    struct statvfs disk {};
    if (::statvfs(path_.c_str(), &disk) != 0)
      return {};
    auto own = std::min<uint64_t>(64u << 20, disk.f_blocks * disk.f_frsize / 8);
    auto enough = disk.f_bavail * disk.f_frsize >= bytes + own;
    return enough ? leveldb::Status{} : leveldb::Status::IOError(path_, std::strerror(ENOSPC));
  }

  /// Opening the store writes a table of what its log holds.
  size_t log_bytes() const {
    size_t bytes = 0;
    std::error_code ignored;
    for (const auto& file : fs::directory_iterator{path_, ignored})
      if (file.path().extension() == ".log")
        bytes += file.file_size(ignored);
    return bytes;
  }

  /// Whether the disk takes so many bytes and some more for LevelDB's own files.
  leveldb::Status probe(size_t bytes) const {
    auto file = path_ + "/PROBE";
    auto env = leveldb::Env::Default();
    auto status = leveldb::WriteStringToFile(env, std::string(bytes + (1u << 20), 'p'), file);
    env->RemoveFile(file);
    return status;
  }

  // -- damage

  /// Takes what cannot be read, somewhere at first <= key < last, out of the tables, so that neither readers nor
  /// compactions meet it again, and notes the loss. False when there is nothing of the kind, or when it cannot be done.
  bool mend(const std::string& first, const std::string& last) {
    auto damaged = damaged_tables(first, last);
    if (damaged.empty())
      return false;
    auto& files = over_disk_ ? *over_disk_ : disk_;
    if (over_disk_)
      over_disk_->sealed = false;
    auto status = replace_file(files, path_ + mending, joined(hidden_by(damaged)));
    db_.reset();
    for (const auto& [table, gaps] : damaged)
      if (status.ok())
        status = rewrite(files, table);
    if (status.ok())
      status = open_on(files);
    if (over_disk_)
      over_disk_->sealed = true;
    else if (!status.ok())
      return open_for_reading() && mend(first, last);
    for (const auto& [table, gaps] : damaged)
      note(table, gaps);
    if (started_ && !over_disk_)
      if (auto redrawn = begin_incarnation(*this); !redrawn)
        log::warn("store", "incarnation-not-redrawn", {{"reason", sentence_of(redrawn.error())}});
    return status.ok();
  }

  struct damaged_table {
    table_facts table;
    std::vector<kv_loss> gaps;
  };

  std::vector<damaged_table> damaged_tables(const std::string& first, const std::string& last) {
    std::vector<damaged_table> result;
    std::string listing;
    db_->GetProperty("leveldb.sstables", &listing);
    auto& files = over_disk_ ? *over_disk_ : disk_;
    for (auto& table : parse_tables(listing, path_)) {
      if (table.largest < first || (!last.empty() && table.smallest >= last))
        continue;
      damaged_table found{table, {}};
      auto lose = [&](const leveldb::Slice* before, const leveldb::Slice* behind, const std::string& why) {
        auto from = before ? table_order::ours(*before).ToString() + '\0' : table.smallest;
        auto to = behind ? table_order::ours(*behind).ToString() : table.largest; // may have lost its newest version
        found.gaps.push_back({from, to + '\0', why});
      };
      table_reader{files, table}.read([](const auto&, const auto&) {}, lose);
      if (!found.gaps.empty())
        result.push_back(std::move(found));
    }
    return result;
  }

  /// Once the damage is taken out, older entries in other tables would come to light. LevelDB does not know of an entry
  /// whether it is older than what it cannot read: these are to be erased. They are noted in a file first, so that no
  /// crash forgets them.
  std::vector<std::string> hidden_by(const std::vector<damaged_table>& damaged) {
    std::vector<std::string> hidden;
    std::string value;
    for (const auto& [table, gaps] : damaged)
      for (const auto& gap : gaps) {
        std::unique_ptr<leveldb::Iterator> i{db_->NewIterator(checked_reads())};
        for (i->Seek(gap.first); i->Valid() && view(i->key()) < gap.last; i->Next())
          if (db_->Get(checked_reads(), i->key(), &value).IsCorruption())
            hidden.push_back(i->key().ToString());
      }
    return hidden;
  }

  static std::string joined(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& key : all) {
      append_u32(text, static_cast<uint32_t>(key.size()));
      text += key;
    }
    return text;
  }

  leveldb::Status finish_mending(leveldb::Env& files) {
    if (!files.FileExists(path_ + mending))
      return {};
    std::string text;
    auto status = leveldb::ReadFileToString(&files, path_ + mending, &text);
    leveldb::WriteBatch batch;
    uint32_t size = 0;
    for (std::string_view rest = text; take_u32(rest, size) && rest.size() >= size; rest.remove_prefix(size))
      batch.Delete(slice(rest.substr(0, size)));
    if (status.ok())
      status = write(batch);
    return status.ok() ? files.RemoveFile(path_ + mending) : status;
  }

  void note(const table_facts& table, const std::vector<kv_loss>& gaps) {
    for (const auto& gap : gaps) {
      log::error(
          "store", "part-lost",
          {{"file", table.file}, {"first", escaped(gap.first)}, {"last", escaped(gap.last)}, {"reason", gap.reason}});
      if (std::find(losses_.begin(), losses_.end(), gap) == losses_.end())
        losses_.push_back(gap);
    }
  }

  std::string path_;
  disk_files disk_;
  std::unique_ptr<files_over_disk> over_disk_; // while the disk takes no writes
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_; // gone before the files, the filter and the cache that it uses
  bool started_ = false;
  bool suspect_ = false; // a write failed since it was opened
  store_identity identity_;
  std::vector<kv_loss> losses_;
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
