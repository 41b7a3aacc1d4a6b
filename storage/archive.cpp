#include "storage/archive.hpp"

#include "storage/bytes.hpp"

// Boost's library has its own archives only; for ours the parts behind its headers are compiled here.
#include <boost/archive/impl/archive_serializer_map.ipp>
#include <boost/archive/impl/basic_binary_iarchive.ipp>
#include <boost/archive/impl/basic_binary_iprimitive.ipp>

namespace boost::archive {

using gnomon::frame_parts::sized_iarchive;
template class detail::archive_serializer_map<sized_iarchive>;
template class basic_binary_iarchive<sized_iarchive>;
template class basic_binary_iprimitive<sized_iarchive, char, std::char_traits<char>>;

} // namespace boost::archive

namespace gnomon {

namespace {

constexpr std::string_view magic = "GN";

std::string head_of(const frame_kind& kind) {
  std::string head{magic};
  head.push_back(kind.letter);
  head.push_back(static_cast<char>(kind.format));
  return head;
}

} // namespace

std::string seal(const frame_kind& kind, std::string_view payload) {
  auto result = head_of(kind);
  result.reserve(result.size() + 4 + payload.size());
  append_u32(result, checksum(payload));
  return result.append(payload);
}

expected<std::string_view> unseal(const frame_kind& kind, std::string_view bytes) {
  auto head = head_of(kind);
  if (bytes.size() < head.size() + 4)
    return corrupt(kind, "it is cut short");
  if (bytes.substr(0, 3) != std::string_view{head}.substr(0, 3))
    return corrupt(kind, "it does not start as one");
  if (bytes[3] != head[3])
    return corrupt(kind, "its format number is " + std::to_string(static_cast<uint8_t>(bytes[3]))
                             + ", this version reads " + std::to_string(kind.format));
  bytes.remove_prefix(head.size());
  uint32_t expected_sum = 0;
  take_u32(bytes, expected_sum);
  if (checksum(bytes) != expected_sum)
    return corrupt(kind, "its checksum is wrong");
  return bytes;
}

bool is_of_kind(const frame_kind& kind, std::string_view bytes) {
  return bytes.starts_with(head_of(kind));
}

caf::error corrupt(const frame_kind& kind, std::string_view how) {
  auto sentence = "a stored " + std::string{kind.what} + " cannot be read: ";
  return make_error(ec::store_corrupt, sentence.append(how).append("; ").append(kind.advice));
}

} // namespace gnomon
