// Files of `gnomon snapshot save`.
#include "runtime/client/snapshot_entry.hpp"
#include "runtime/shell/snapshot_file.hpp"
#include "tests/fuzz/checksums.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/target.hpp"

namespace gnomon::fuzz {
namespace {

constexpr size_t length_bytes = 4;

size_t length_at_front(std::string_view bytes) {
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i)
    length = length << 8 | static_cast<uint8_t>(bytes[i]);
  return length;
}

std::string with_length(const std::string& entry) {
  std::string bytes;
  append_u32(bytes, static_cast<uint32_t>(entry.size()));
  return bytes + entry;
}

/// Every whole entry of the file with the right checksum.
std::string with_checksums(std::string_view file) {
  std::string result;
  while (file.size() > length_bytes) {
    const auto length = length_at_front(file);
    if (length > file.size() - length_bytes)
      break;
    result += with_length(with_frame_checksum(file.substr(length_bytes, length)));
    file.remove_prefix(length_bytes + length);
  }
  return result.append(file);
}

void read_file(std::string_view bytes) {
  const memory_file file{bytes};
  try {
    shell::snapshot_reader reader{file.name()};
    while (reader.next()) {
      if (holds_policies(reader.entry()))
        policies_from_entry(reader.entry());
      else if (auto item = item_from_entry(reader.entry()))
        item->versions.etag();
    }
  } catch (const std::runtime_error&) { // as it says
  }
}

void read(std::string_view input) {
  read_file(input);
  read_file(with_checksums(input));
}

std::vector<std::string> examples() {
  item_copy copy{.id = "news/1"};
  copy.versions.write({}, {7, 1}, {.content_type = "text/plain", .bytes = 5});
  copy.values.emplace_back("value");
  const std::vector<policy_entry> policies{{.scope = policy_scope::item, .name = "a", .text = R"({"factor": 3})"}};
  const auto heading = with_length(to_entry(snapshot_heading{"eu-1", "eu", {}}));
  return {heading + with_length(to_entry(policies)) + with_length(to_entry(copy))
              + with_length(to_entry(snapshot_end{1, 1})),
          heading + with_length(to_entry(snapshot_end{}))};
}

const listed this_target{"snapshots", read, examples};

} // namespace
} // namespace gnomon::fuzz
