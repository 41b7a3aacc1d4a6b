#pragma once

#include <leveldb/comparator.h>
#include <leveldb/env.h>
#include <leveldb/options.h>
#include <leveldb/table.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// LevelDB's files: how they are read and written, and what can be saved of a damaged one. For level_store only.
namespace gnomon {

/// The disk, or this process's share of it, is full.
bool is_full(const leveldb::Status& status);

/// The files of a store on the disk. A table that cannot be read is damaged (`Corruption`). A table that cannot be
/// opened at the moment is not.
class disk_files : public leveldb::EnvWrapper {
public:
  disk_files() : EnvWrapper(leveldb::Env::Default()) {}
  leveldb::Status NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** result) override;
};

/// Shows what is on the disk, and keeps new writes in memory, so that a store can be opened for reading where nothing
/// can be written. Once sealed it takes no more files, and LevelDB then ends its compactions.
class files_over_disk final : public disk_files {
public:
  files_over_disk();
  std::atomic<bool> sealed = false;

  leveldb::Status NewWritableFile(const std::string& name, leveldb::WritableFile** result) override;
  leveldb::Status NewAppendableFile(const std::string& name, leveldb::WritableFile** result) override;
  leveldb::Status NewSequentialFile(const std::string& name, leveldb::SequentialFile** result) override;
  leveldb::Status NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** result) override;
  bool FileExists(const std::string& name) override;
  leveldb::Status GetFileSize(const std::string& name, uint64_t* size) override;
  leveldb::Status GetChildren(const std::string& folder, std::vector<std::string>* names) override;
  leveldb::Status RemoveFile(const std::string& name) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status NewLogger(const std::string& name, leveldb::Logger** result) override;

private:
  bool has(const std::string& name) const {
    return memory_->FileExists(name);
  }
  std::unique_ptr<leveldb::Env> memory_;
};

/// LevelDB silently takes a record that goes beyond the end of a log, or of a manifest, for one that a crash has cut
/// short. True when that record, or one after it, is whole: then the log is damaged.
bool has_damaged_end(const std::string& log);

/// The order of the keys inside tables: our keys, each followed by eight bytes that say how new the entry is, newest
/// first.
class table_order final : public leveldb::Comparator {
public:
  static leveldb::Slice ours(const leveldb::Slice& key);
  int Compare(const leveldb::Slice& a, const leveldb::Slice& b) const override;
  const char* Name() const override {
    return "gnomon.table_order";
  }
  void FindShortestSeparator(std::string*, const leveldb::Slice&) const override {}
  void FindShortSuccessor(std::string*) const override {}
};

/// A key in a form for people, as LevelDB writes it.
std::string escaped(std::string_view key);

/// A table as the manifest knows it.
struct table_facts {
  std::string file;
  uint64_t size = 0;
  std::string smallest, largest;
};

/// The tables of LevelDB's property `leveldb.sstables`, whose files lie in the directory `path`.
std::vector<table_facts> parse_tables(const std::string& listing, const std::string& path);

/// Calls `keep` with each entry that can be read, and `lose` with the keys around each part that cannot. No key: from
/// the first key of the table, or to its last one.
class table_reader {
public:
  using entry_handler = std::function<void(const leveldb::Slice& key, const leveldb::Slice& value)>;
  using gap_handler = std::function<void(const leveldb::Slice* before, const leveldb::Slice* behind, std::string why)>;

  table_reader(leveldb::Env& env, const table_facts& facts);
  void read(const entry_handler& keep, const gap_handler& lose) const;

private:
  std::unique_ptr<leveldb::Iterator> iterator() const;

  table_order order_;
  leveldb::Options options_;
  leveldb::Status opened_;
  std::unique_ptr<leveldb::RandomAccessFile> file_;
  std::unique_ptr<leveldb::Table> table_; // gone before its file
};

/// Writes a file with these bytes, in place of any file there. All or nothing, also after a crash.
leveldb::Status replace_file(leveldb::Env& env, const std::string& file, const std::string& bytes);

/// Writes the table again with the entries of it that can be read.
leveldb::Status rewrite(leveldb::Env& env, const table_facts& facts);

} // namespace gnomon
