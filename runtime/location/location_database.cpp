#include "runtime/location/location_database.hpp"

#include "runtime/base/byte_source.hpp"
#include "runtime/base/printable.hpp"
#include "runtime/base/times.hpp"
#include "runtime/location/location_record.hpp"
#include "runtime/location/mmdb_values.hpp"

#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <maxminddb.h>

#include <spdlog/fmt/fmt.h>

namespace gnomon {

namespace {

constexpr uint64_t most_bytes = 2ull << 30;
constexpr std::string_view metadata_marker = "\xab\xcd\xefMaxMind.com";

caf::error damaged(const std::string& file, std::string_view what) {
  return make_error(ec::bad_message, fmt::format("{} is no whole location database (MMDB): {}", file, what));
}

bool write_whole(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = write(descriptor, bytes.data(), bytes.size());
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

/// A file in memory. libmaxminddb maps files, and a mapped file that someone shortens ends the process with SIGBUS.
class memory_file {
public:
  memory_file() : descriptor_(memfd_create("gnomon-location", MFD_CLOEXEC)) {}
  ~memory_file() {
    if (descriptor_ >= 0)
      close(descriptor_);
  }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;

  caf::error fill(const std::string& file) {
    auto source = byte_source::open(file, coding::as_it_is);
    if (!source)
      return source.error();
    uint64_t total = 0;
    for (std::string chunk(1 << 20, '\0');;) {
      const auto got = (*source)->read(chunk.data(), chunk.size());
      if (got == 0)
        break;
      total += got;
      if (total > most_bytes)
        return make_error(ec::too_large, fmt::format("{} holds more than {} bytes", file, most_bytes));
      if (!write_whole(descriptor_, {chunk.data(), got}))
        return make_error(ec::store_failed, fmt::format("no memory for {}: {}", file, std::strerror(errno)));
    }
    return (*source)->fault().empty() ? caf::error{} : make_error(ec::bad_message, (*source)->fault());
  }
  /// False when what describes the database is damaged in a way that libmaxminddb does not survive.
  bool has_good_metadata() const {
    const auto size = lseek(descriptor_, 0, SEEK_END);
    auto* mapped =
        size <= 0 ? MAP_FAILED : mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_SHARED, descriptor_, 0);
    if (mapped == MAP_FAILED)
      return false;
    const std::string_view bytes{static_cast<const char*>(mapped), static_cast<size_t>(size)};
    const auto marker = bytes.rfind(metadata_marker);
    const auto good =
        marker != std::string_view::npos && mmdb_values{bytes.substr(marker + metadata_marker.size())}.is_good(0);
    munmap(mapped, bytes.size());
    return good;
  }
  std::string path() const {
    return fmt::format("/proc/self/fd/{}", descriptor_);
  }

private:
  int descriptor_;
};

/// Reads the fields of each record once, and remembers which it has seen: millions of networks share few records.
class checker {
public:
  explicit checker(const MMDB_s& database)
      : database_(database), seen_(database.data_section_size),
        values_({reinterpret_cast<const char*>(database.data_section), database.data_section_size}) {}

  /// Why the database is damaged; empty when it is not.
  std::string run() {
    const auto nodes = database_.metadata.node_count;
    for (uint32_t i = 0; i < nodes; ++i) {
      MMDB_search_node_s node{};
      if (const auto status = MMDB_read_node(&database_, i, &node); status != MMDB_SUCCESS)
        return MMDB_strerror(status);
      for (auto [type, entry] : {std::pair{node.left_record_type, node.left_record_entry},
                                 std::pair{node.right_record_type, node.right_record_entry}})
        if (type == MMDB_RECORD_TYPE_INVALID || (type == MMDB_RECORD_TYPE_DATA && !is_good(entry)))
          return fmt::format("node {} of {} points to no record", i, nodes);
    }
    return nodes == 0 ? "its search tree is empty" : "";
  }

private:
  bool is_good(MMDB_entry_s entry) {
    if (entry.offset >= seen_.size())
      return false;
    if (seen_[entry.offset])
      return true;
    seen_[entry.offset] = true;
    return values_.is_good(entry.offset) && location_record{entry}.is_whole();
  }

  const MMDB_s& database_;
  std::vector<bool> seen_; // records, by their place in the data section
  mmdb_values values_;
};

std::string describe_database(const MMDB_s& database) {
  const auto& about = database.metadata;
  const auto built = timestamp{std::chrono::duration_cast<timestamp::duration>(
      std::chrono::seconds{std::min<uint64_t>(about.build_epoch, 253'402'300'799)})};
  return fmt::format("{} of {} ({}, {:.1f} MiB)", printable(about.database_type), rfc3339(built).substr(0, 10),
                     about.ip_version == 6 ? "IPv4 and IPv6" : "IPv4",
                     static_cast<double>(database.file_size) / (1 << 20));
}

/// How many bits of the address decide, in the family of the address.
int decided_bits(const ip_address& address, int netmask, int version) {
  // In a tree for both families IPv4 lies below ::/96. An answer may already be clear above that.
  return address.is_v4() && version == 6 ? std::max(0, netmask - 96) : netmask;
}

MMDB_lookup_result_s look_up(const MMDB_s& database, const ip_address& address, int& status) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  const auto bytes = address.bytes();
  std::memcpy(address.is_v4() ? static_cast<void*>(&v4.sin_addr) : &v6.sin6_addr, bytes.data(), bytes.size());
  const auto* where = address.is_v4() ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  return MMDB_lookup_sockaddr(&database, where, &status);
}

} // namespace

location_database::location_database(std::unique_ptr<MMDB_s> opened)
    : opened_(std::move(opened)), description_(describe_database(*opened_)) {}

location_database::~location_database() {
  MMDB_close(opened_.get());
}

expected<std::shared_ptr<const location_database>> location_database::open(const std::string& file) {
  memory_file copy;
  if (auto wrong = copy.fill(file))
    return wrong;
  if (!copy.has_good_metadata())
    return damaged(file, "its description is missing or damaged");
  auto opened = std::make_unique<MMDB_s>();
  if (const auto status = MMDB_open(copy.path().c_str(), MMDB_MODE_MMAP, opened.get()); status != MMDB_SUCCESS)
    return damaged(file, MMDB_strerror(status));
  const std::shared_ptr<const location_database> result{new location_database(std::move(opened))};
  if (const auto wrong = checker{*result->opened_}.run(); !wrong.empty())
    return damaged(file, wrong);
  return result;
}

location location_database::find(const ip_address& address) const {
  const auto version = opened_->metadata.ip_version;
  if (!address.is_v4() && version == 4)
    return {{}, false, {}, {}, ip_prefix::around(address, 0)};
  int status = MMDB_SUCCESS;
  const auto result = look_up(*opened_, address, status);
  if (status != MMDB_SUCCESS) // a node that `check` has passed cannot do that
    return {{}, false, {}, {}, ip_prefix::around(address, address.width())};
  location found;
  if (result.found_entry)
    found = location_record{result.entry}.read();
  found.network = ip_prefix::around(address, decided_bits(address, result.netmask, version));
  return found;
}

} // namespace gnomon
