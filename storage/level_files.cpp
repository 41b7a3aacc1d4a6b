#include "storage/level_files.hpp"

#include <leveldb/helpers/memenv.h>
#include <leveldb/table_builder.h>

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <unistd.h>

namespace gnomon {

namespace {

/// A table, read with `pread`: of one that is mapped, a sector that cannot be read would end the process. What cannot
/// be read any more is damage; what cannot be opened just now is not.
class table_file final : public leveldb::RandomAccessFile {
public:
  table_file(std::string name, int descriptor) : name_(std::move(name)), descriptor_(descriptor) {}
  ~table_file() override {
    ::close(descriptor_);
  }
  leveldb::Status Read(uint64_t offset, size_t n, leveldb::Slice* result, char* scratch) const override {
    for (size_t got = 0; got < n;) {
      auto bytes = ::pread(descriptor_, scratch + got, n - got, static_cast<off_t>(offset + got));
      if (bytes < 0 && errno == EINTR)
        continue;
      if (bytes < 0)
        return leveldb::Status::Corruption(name_, std::strerror(errno));
      if (bytes == 0)
        return leveldb::Status::Corruption(name_, "is cut short");
      got += static_cast<size_t>(bytes);
    }
    *result = {scratch, n};
    return {};
  }

private:
  std::string name_;
  int descriptor_;
};

std::string newness(const leveldb::Slice& key) {
  return {std::make_reverse_iterator(key.data() + key.size()), std::make_reverse_iterator(key.data() + key.size() - 8)};
}

std::string unescaped(std::string_view text) {
  std::string key;
  while (!text.empty()) {
    unsigned code = 0;
    auto digits = text.starts_with("\\x") && text.size() >= 4 ? text.data() + 2 : nullptr;
    auto coded = digits && std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2;
    key.push_back(coded ? static_cast<char>(code) : text.front());
    text.remove_prefix(coded ? 4 : 1);
  }
  return key;
}

/// A file that stays in memory until it is complete.
class text_file final : public leveldb::WritableFile {
public:
  std::string bytes;
  leveldb::Status Append(const leveldb::Slice& more) override {
    bytes.append(more.data(), more.size());
    return {};
  }
  leveldb::Status Close() override {
    return {};
  }
  leveldb::Status Flush() override {
    return {};
  }
  leveldb::Status Sync() override {
    return {};
  }
};

constexpr size_t log_block = 32'768;
constexpr size_t log_head = 7; // checksum, length, kind

/// CRC-32C, which LevelDB's files have; `so_far` is that of the bytes before.
uint32_t crc32c(std::string_view bytes, uint32_t so_far = 0) {
  so_far = ~so_far;
  for (auto byte : bytes) {
    so_far ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit)
      so_far = (so_far >> 1) ^ (so_far & 1 ? 0x82f63b78u : 0u);
  }
  return ~so_far;
}

uint32_t little_endian(std::string_view bytes) {
  uint32_t x = 0;
  for (auto i = bytes.size(); i-- > 0;)
    x = x << 8 | static_cast<uint8_t>(bytes[i]);
  return x;
}

/// The checksum in a record's head, which LevelDB stores turned and shifted.
uint32_t stored_checksum(std::string_view record) {
  auto masked = little_endian(record.substr(0, 4)) - 0xa282ead8u;
  return masked >> 17 | masked << 15;
}

size_t stored_length(std::string_view record) {
  return little_endian(record.substr(4, 2));
}

bool is_whole(std::string_view record) {
  auto length = stored_length(record);
  return log_head + length <= record.size()
         && crc32c(record.substr(log_head - 1, length + 1)) == stored_checksum(record);
}

/// With any other length than the one in its head.
bool is_whole_but_for_its_length(std::string_view record) {
  auto sum = stored_checksum(record);
  uint32_t so_far = 0;
  for (auto rest = record.substr(log_head - 1); !rest.empty(); rest.remove_prefix(1))
    if ((so_far = crc32c(rest.substr(0, 1), so_far)) == sum)
      return true;
  return false;
}

} // namespace

bool is_full(const leveldb::Status& status) {
  auto text = status.ToString();
  auto says = [&](int number) { return text.find(std::strerror(number)) != std::string::npos; };
  return status.IsIOError() && (says(ENOSPC) || says(EDQUOT) || says(EFBIG));
}

// -- files on the disk and over it

leveldb::Status disk_files::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** result) {
  auto descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT)
    return leveldb::Status::Corruption(name, "is not there");
  if (descriptor < 0)
    return leveldb::Status::IOError(name, std::strerror(errno));
  *result = new table_file{name, descriptor};
  return {};
}

files_over_disk::files_over_disk() : memory_(leveldb::NewMemEnv(leveldb::Env::Default())) {}

leveldb::Status files_over_disk::NewWritableFile(const std::string& name, leveldb::WritableFile** result) {
  return sealed ? leveldb::Status::IOError(name, std::strerror(ENOSPC)) : memory_->NewWritableFile(name, result);
}

leveldb::Status files_over_disk::NewAppendableFile(const std::string& name, leveldb::WritableFile** result) {
  return NewWritableFile(name, result);
}

leveldb::Status files_over_disk::NewSequentialFile(const std::string& name, leveldb::SequentialFile** result) {
  return has(name) ? memory_->NewSequentialFile(name, result) : disk_files::NewSequentialFile(name, result);
}

leveldb::Status files_over_disk::NewRandomAccessFile(const std::string& name, leveldb::RandomAccessFile** result) {
  return has(name) ? memory_->NewRandomAccessFile(name, result) : disk_files::NewRandomAccessFile(name, result);
}

bool files_over_disk::FileExists(const std::string& name) {
  return has(name) || disk_files::FileExists(name);
}

leveldb::Status files_over_disk::GetFileSize(const std::string& name, uint64_t* size) {
  return has(name) ? memory_->GetFileSize(name, size) : disk_files::GetFileSize(name, size);
}

leveldb::Status files_over_disk::GetChildren(const std::string& folder, std::vector<std::string>* names) {
  auto status = disk_files::GetChildren(folder, names);
  std::vector<std::string> more;
  memory_->GetChildren(folder, &more);
  names->insert(names->end(), more.begin(), more.end());
  return status;
}

leveldb::Status files_over_disk::RemoveFile(const std::string& name) {
  return has(name) ? memory_->RemoveFile(name) : leveldb::Status{};
}

leveldb::Status files_over_disk::RenameFile(const std::string& from, const std::string& to) {
  return has(from) ? memory_->RenameFile(from, to) : leveldb::Status{};
}

leveldb::Status files_over_disk::NewLogger(const std::string& name, leveldb::Logger** result) {
  return memory_->NewLogger(name, result);
}

// -- logs

bool has_damaged_end(const std::string& log) {
  std::ifstream in{log, std::ios::binary};
  std::error_code ignored;
  auto size = std::filesystem::file_size(log, ignored);
  in.seekg(static_cast<std::streamoff>(size / log_block * log_block));
  std::string block{std::istreambuf_iterator<char>{in}, {}};
  std::string_view rest = block;
  while (rest.size() >= log_head && log_head + stored_length(rest) <= rest.size())
    rest.remove_prefix(log_head + stored_length(rest));
  if (rest.size() < log_head)
    return false;
  if (is_whole_but_for_its_length(rest))
    return true;
  for (rest.remove_prefix(1); rest.size() >= log_head; rest.remove_prefix(1))
    if (is_whole(rest))
      return true;
  return false;
}

// -- tables

leveldb::Slice table_order::ours(const leveldb::Slice& key) {
  return {key.data(), key.size() < 8 ? 0 : key.size() - 8};
}

int table_order::Compare(const leveldb::Slice& a, const leveldb::Slice& b) const {
  if (auto order = ours(a).compare(ours(b)); order != 0 || a.size() < 8 || b.size() < 8)
    return order;
  return -newness(a).compare(newness(b));
}

std::string escaped(std::string_view key) {
  std::string text;
  for (auto c : key)
    text += c >= ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  return text;
}

/// LevelDB's listing, a line a table: NUMBER:SIZE['SMALLEST' @ AGE : KIND .. 'LARGEST' @ AGE : KIND].
std::vector<table_facts> parse_tables(const std::string& listing, const std::string& path) {
  std::vector<table_facts> tables;
  std::istringstream lines{listing};
  for (std::string line; std::getline(lines, line);) {
    unsigned long long number = 0, size = 0;
    int key = 0;
    if (std::sscanf(line.c_str(), " %llu:%llu['%n", &number, &size, &key) != 2 || key == 0)
      continue;
    auto from = static_cast<size_t>(key);
    auto middle = line.find(" .. '", from);
    auto first_end = line.rfind("' @ ", middle), last_end = line.rfind("' @ ");
    if (middle == std::string::npos || first_end == std::string::npos || last_end < middle)
      continue;
    tables.push_back({fmt::format("{}/{:06}.ldb", path, number), size, unescaped(line.substr(from, first_end - from)),
                      unescaped(line.substr(middle + 5, last_end - middle - 5))});
  }
  return tables;
}

table_reader::table_reader(leveldb::Env& env, const table_facts& facts) {
  options_.env = &env;
  options_.comparator = &order_;
  options_.paranoid_checks = true;
  leveldb::RandomAccessFile* file = nullptr;
  opened_ = env.NewRandomAccessFile(facts.file, &file);
  file_.reset(file);
  leveldb::Table* table = nullptr;
  if (opened_.ok())
    opened_ = leveldb::Table::Open(options_, file, facts.size, &table);
  table_.reset(table);
}

void table_reader::read(const entry_handler& keep, const gap_handler& lose) const {
  if (!opened_.ok() && !opened_.IsCorruption())
    return;
  if (!opened_.ok())
    return lose(nullptr, nullptr, opened_.ToString());
  std::string before;
  auto i = iterator();
  for (i->SeekToFirst();; i->Next()) {
    if (auto status = i->status(); !status.ok()) {
      auto known = leveldb::Slice{before};
      auto behind = i->Valid() ? i->key() : leveldb::Slice{};
      lose(before.empty() ? nullptr : &known, i->Valid() ? &behind : nullptr, status.ToString());
      auto next = behind.ToString();
      auto more = i->Valid();
      i = iterator(); // the old one would go on telling of this part
      if (more)
        i->Seek(next);
    }
    if (!i->status().ok())
      return lose(nullptr, nullptr, i->status().ToString());
    if (!i->Valid())
      return;
    keep(i->key(), i->value());
    before = i->key().ToString();
  }
}

std::unique_ptr<leveldb::Iterator> table_reader::iterator() const {
  leveldb::ReadOptions checked;
  checked.verify_checksums = true;
  return std::unique_ptr<leveldb::Iterator>{table_->NewIterator(checked)};
}

leveldb::Status replace_file(leveldb::Env& env, const std::string& file, const std::string& bytes) {
  auto temporary =
      std::filesystem::path{file}.replace_extension("dbtmp").string(); // LevelDB removes what a crash leaves of it
  leveldb::WritableFile* out = nullptr;
  auto status = env.NewWritableFile(temporary, &out);
  std::unique_ptr<leveldb::WritableFile> owned{out};
  if (status.ok())
    status = out->Append(bytes);
  if (status.ok())
    status = out->Sync();
  if (status.ok())
    status = out->Close();
  return status.ok() ? env.RenameFile(temporary, file) : status;
}

/// Writes the table anew with what can be read of it. The manifest knows its size, at whose end LevelDB looks for the
/// footer, and the footer says where all else is: so the footer goes there, behind as many bytes as are missing.
leveldb::Status rewrite(leveldb::Env& env, const table_facts& facts) {
  constexpr size_t footer_bytes = 48;
  table_order order;
  leveldb::Options options;
  options.comparator = &order;
  text_file made;
  leveldb::TableBuilder builder{options, &made};
  table_reader{env, facts}.read([&](const auto& key, const auto& value) { builder.Add(key, value); },
                                [](auto, auto, auto) {});
  if (auto status = builder.Finish(); !status.ok())
    return status;
  if (made.bytes.size() > facts.size)
    return leveldb::Status::NotSupported(facts.file, "has no room for what can be read of it");
  auto footer = made.bytes.substr(made.bytes.size() - footer_bytes);
  made.bytes.resize(made.bytes.size() - footer_bytes);
  made.bytes.resize(facts.size - footer_bytes, '\0');
  return replace_file(env, facts.file, made.bytes.append(footer));
}

} // namespace gnomon
