#pragma once

#include "runtime/base/clock.hpp"
#include "runtime/base/error.hpp"
#include "runtime/base/inspect.hpp"

#include <boost/archive/archive_exception.hpp>
#include <boost/archive/binary_iarchive_impl.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/serialization/map.hpp>
#include <boost/serialization/set.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include <algorithm>
#include <cstdint>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>

/// Writes types with `fields()` to disk through Boost.Serialization, in a frame that shows when an entry is damaged or
/// foreign. Include it from source files only: Boost's headers are heavy.
namespace boost::serialization {

template <class Archive, class... Ts>
void pass(Archive& archive, Ts&... xs) {
  (archive & ... & xs);
}

template <class Archive, gnomon::has_fields T>
void serialize(Archive& archive, T& x, unsigned) {
  std::apply([&](auto&... xs) { pass(archive, xs...); }, x.fields());
}

template <class Archive>
void serialize(Archive& archive, gnomon::real& x, unsigned) {
  pass(archive, x.value);
}

template <class Archive>
void serialize(Archive& archive, gnomon::duration& x, unsigned) {
  auto count = static_cast<int64_t>(x.count());
  pass(archive, count);
  x = gnomon::duration{count};
}

template <class Archive>
void serialize(Archive& archive, gnomon::timestamp& x, unsigned) {
  auto since_epoch = x.time_since_epoch();
  pass(archive, since_epoch);
  x = gnomon::timestamp{since_epoch};
}

// Our frame has the format number, and nothing is shared by pointer, so Boost need not record either for our types.
template <gnomon::has_fields T>
struct implementation_level_impl<const T> {
  using tag = mpl::integral_c_tag;
  using type = mpl::int_<object_serializable>;
  static constexpr int value = object_serializable;
};

template <gnomon::has_fields T>
struct tracking_level<T> {
  using tag = mpl::integral_c_tag;
  using type = mpl::int_<track_never>;
  static constexpr int value = track_never;
};

} // namespace boost::serialization

namespace gnomon {

/// The kind of entry that a frame holds, and the number of its present format.
struct frame_kind {
  char letter;
  uint8_t format;
  std::string_view what; // for error sentences: "record"
  std::string_view advice = "other regions still have theirs: drop this copy and fetch it again";
};

/// `payload` after a magic number, the format number and its CRC-32.
std::string seal(const frame_kind& kind, std::string_view payload);

/// The payload inside `bytes`, which must outlive it. Errors: store_corrupt for everything that `seal` with this kind
/// did not make.
expected<std::string_view> unseal(const frame_kind& kind, std::string_view bytes);

/// True when `bytes` begin as a frame of this kind and format.
bool is_of_kind(const frame_kind& kind, std::string_view bytes);

caf::error corrupt(const frame_kind& kind, std::string_view how);

namespace frame_parts {

class string_sink final : public std::streambuf {
public:
  std::string bytes;

private:
  std::streamsize xsputn(const char* from, std::streamsize n) override {
    bytes.append(from, static_cast<size_t>(n));
    return n;
  }
  int_type overflow(int_type c) override {
    bytes.push_back(traits_type::to_char_type(c));
    return c;
  }
};

class view_source final : public std::streambuf {
public:
  explicit view_source(std::string_view bytes) {
    auto begin = const_cast<char*>(bytes.data()); // a get area is only read
    setg(begin, begin, begin + bytes.size());
  }
};

inline constexpr unsigned plain_archive = boost::archive::no_header | boost::archive::no_codecvt;

/// Boost's archive makes room for as many bytes or elements as a length says. A frame may come from elsewhere, and a
/// checksum is no signature: this one makes room only for what can be there. No element of ours has less than four
/// bytes.
class sized_iarchive final : public boost::archive::binary_iarchive_impl<sized_iarchive, char, std::char_traits<char>> {
  using impl = boost::archive::binary_iarchive_impl<sized_iarchive, char, std::char_traits<char>>;
  friend class boost::archive::detail::interface_iarchive<sized_iarchive>;
  friend class boost::archive::basic_binary_iarchive<sized_iarchive>;
  friend class boost::archive::load_access;

public:
  explicit sized_iarchive(std::streambuf& from) : impl(from, plain_archive) {}

  using impl::load;
  void load(std::string& text) {
    size_t length = 0;
    impl::load(length);
    require(length);
    text.resize(length);
    load_binary(text.data(), length);
  }
  void load(bool& flag) {
    char byte = 0;
    impl::load(byte);
    flag = byte != 0;
  }

private:
  using impl::load_override;
  void load_override(boost::serialization::collection_size_type& count) {
    impl::load_override(count);
    if (count > 0)
      require(count > SIZE_MAX / 4 ? SIZE_MAX : 4 * count);
  }
  void require(size_t bytes) {
    using boost::archive::archive_exception;
    if (bytes > static_cast<size_t>(std::max<std::streamsize>(0, m_sb.in_avail())))
      throw archive_exception{archive_exception::input_stream_error};
  }
};

} // namespace frame_parts

/// Archives any type with `fields()`.
template <has_fields T>
std::string encode_as(const frame_kind& kind, const T& x) {
  frame_parts::string_sink sink;
  boost::archive::binary_oarchive{sink, frame_parts::plain_archive} << x;
  return seal(kind, sink.bytes);
}

/// Errors: store_corrupt.
template <has_fields T>
expected<T> decode_as(const frame_kind& kind, std::string_view bytes) {
  auto payload = unseal(kind, bytes);
  if (!payload)
    return payload.error();
  try {
    T result;
    frame_parts::view_source source{*payload};
    frame_parts::sized_iarchive{source} >> result;
    return result;
  } catch (const std::exception& e) {
    return corrupt(kind, e.what());
  }
}

} // namespace gnomon

BOOST_SERIALIZATION_USE_ARRAY_OPTIMIZATION(gnomon::frame_parts::sized_iarchive)
