#pragma once

#include "mmdb_writer.hpp"

#include "tests/support/temporary_directory.hpp"

#include <fstream>
#include <string>

/// What the suites about databases have in common: files, and records in both shapes.
namespace gnomon::mmdb {

inline std::string write_file(const std::string& file, const std::string& bytes) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
  return file;
}

inline std::string nested(std::string_view country, double latitude, double longitude) {
  return map_value(
      {{"city", map_value({{"names", map_value({{"en", text_value("Town")}})}})},
       {"country", map_value({{"iso_code", text_value(country)}})},
       {"location", map_value({{"latitude", double_value(latitude)}, {"longitude", double_value(longitude)}})}});
}

inline std::string flat(std::string_view country, float latitude, float longitude) {
  return map_value({{"city", text_value("Town")},
                    {"country_code", text_value(country)},
                    {"latitude", float_value(latitude)},
                    {"longitude", float_value(longitude)}});
}

inline std::string country_only(std::string_view country) {
  return map_value({{"country_code", text_value(country)}});
}

/// A database for both families, with records of both shapes and of a country alone.
inline writer mixed(int record_bits = 28) {
  writer database{6, record_bits};
  database.add("192.0.2.0/24", nested("DE", 50.11, 8.68));
  database.add("198.51.100.0/25", flat("JP", 35.68f, 139.69f));
  database.add("203.0.113.0/24", country_only("FR"));
  database.add("2001:db8::/32", flat("BR", -23.55f, -46.63f));
  return database;
}

} // namespace gnomon::mmdb
