#include "actors/node/known_ids.hpp"

#include <algorithm>

namespace gnomon {

namespace {

constexpr size_t ids_per_block = 16; // of 256 bits: half as many bits again as for one wrong answer in a hundred
constexpr size_t least_ids = 1024;

// Odd numbers that pick one bit of each word of a block, as Parquet has them.
constexpr std::array<uint32_t, 8> salts{0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                        0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

uint32_t bit_of(uint64_t hash, size_t word) {
  return uint32_t{1} << (static_cast<uint32_t>(hash) * salts[word] >> 27);
}

/// Another one than that by which ids belong to slices.
uint64_t hash_of_id(std::string_view id) {
  return stable_hash(id, 1);
}

} // namespace

known_ids::filter::filter(size_t ids)
    : capacity_(std::max(ids * 2, least_ids)), blocks_(capacity_ / ids_per_block), bits_(new block[blocks_]()) {}

known_ids::filter::block& known_ids::filter::block_of(uint64_t hash) const {
  return bits_[static_cast<size_t>((hash >> 32) * blocks_ >> 32)];
}

bool known_ids::filter::has(uint64_t hash) const {
  const auto& words = block_of(hash);
  for (size_t i = 0; i < words.size(); ++i)
    if ((words[i].load(std::memory_order_relaxed) & bit_of(hash, i)) == 0)
      return false;
  return true;
}

bool known_ids::filter::may_have(std::string_view id) const {
  return has(hash_of_id(id));
}

void known_ids::filter::add(std::string_view id) {
  const auto hash = hash_of_id(id);
  if (has(hash))
    return;
  ++added_;
  auto& words = block_of(hash);
  for (size_t i = 0; i < words.size(); ++i)
    words[i].fetch_or(bit_of(hash, i), std::memory_order_relaxed);
}

known_ids::known_ids() {
  for (auto& slice : slices_)
    slice = begin_anew(0);
}

known_ids::~known_ids() = default;

bool known_ids::may_have(std::string_view id) const {
  return slices_[shard_of(id)].load(std::memory_order_acquire)->may_have(id);
}

void known_ids::add(std::string_view id) {
  slices_[shard_of(id)].load(std::memory_order_relaxed)->add(id);
}

bool known_ids::is_crowded(size_t slice) const {
  return slices_[slice].load(std::memory_order_relaxed)->is_crowded();
}

std::shared_ptr<known_ids::filter> known_ids::begin_anew(size_t ids) {
  return std::make_shared<filter>(ids);
}

void known_ids::replace(size_t slice, std::shared_ptr<filter> next) {
  slices_[slice].store(std::move(next), std::memory_order_release);
}

size_t known_ids::bytes() const {
  size_t sum = 0;
  for (const auto& slice : slices_)
    sum += slice.load()->bytes();
  return sum;
}

} // namespace gnomon
