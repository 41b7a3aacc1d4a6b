// Fills the store of a node that does not run with items, as if it had written them itself. Called by
// tests/bench/start.sh.
#include "storage/keys.hpp"
#include "storage/kv_store.hpp"
#include "storage/record.hpp"

#include <charconv>
#include <iostream>
#include <stdexcept>

using namespace gnomon;

namespace {

constexpr uint64_t at_once = 10'000;

std::string id_of(uint64_t number) {
  auto digits = std::to_string(number);
  return "bench/" + std::string(10 - std::min<size_t>(10, digits.size()), '0') + digits;
}

item_record record_of(uint64_t number, const std::string& node, uint64_t incarnation, uint64_t bytes) {
  item_record record;
  record.id = id_of(number);
  record.holding = {incarnation, number + 1};
  sibling version;
  version.bytes = bytes;
  version.content_type = "text/plain";
  version.stamp.millis = 1'700'000'000'000;
  record.versions.write({}, record.holding, version);
  record.holders.begin_epoch(node, holder_state::durable);
  return record;
}

void fill(kv_store& database, const std::string& node, uint64_t items, uint64_t bytes) {
  auto incarnation = database.identity().incarnation;
  auto value = encode_value(std::string(bytes, 'v'));
  for (uint64_t first = 0; first < items; first += at_once) {
    std::vector<std::pair<std::string, std::string>> entries;
    for (auto i = first; i < std::min(items, first + at_once); ++i) {
      auto record = record_of(i, node, incarnation, bytes);
      entries.emplace_back(keys::record(record.id), encode(record));
      entries.emplace_back(keys::value(record.id, record.versions.siblings.front().id), value);
    }
    std::vector<kv_write> writes;
    for (const auto& [key, text] : entries)
      writes.push_back({key, text});
    if (auto done = database.apply(writes); !done)
      throw std::runtime_error(sentence_of(done.error()));
  }
}

uint64_t number_of(std::string_view text) {
  uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ptr != text.data() + text.size())
    throw std::runtime_error("not a number: " + std::string{text});
  return number;
}

} // namespace

int main(int argc, char** argv) try {
  if (argc != 5)
    throw std::runtime_error("usage: gnomon-bench-start DATA_DIR NODE ITEMS BYTES");
  auto store = open_level_store(std::string{argv[1]} + "/store-0");
  if (!store)
    throw std::runtime_error(sentence_of(store.error()));
  fill(**store, argv[2], number_of(argv[3]), number_of(argv[4]));
} catch (const std::exception& problem) {
  std::cerr << "gnomon-bench-start: " << problem.what() << '\n';
  return 1;
}
