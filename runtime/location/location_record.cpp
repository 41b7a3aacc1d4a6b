#include "runtime/location/location_record.hpp"

#include "runtime/base/printable.hpp"
#include "runtime/location/country_centres.hpp"

#include <algorithm>
#include <array>

namespace gnomon {

namespace {

constexpr size_t most_path = 4;
constexpr size_t most_text = 200;

bool is_country_code(const std::string& text) {
  return text.size() == 2 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

} // namespace

bool location_record::get(path where, MMDB_entry_data_s& data) {
  std::array<const char*, most_path + 1> terminated{};
  std::copy(where.begin(), where.end(), terminated.begin());
  const auto status = MMDB_aget_value(&entry_, &data, terminated.data());
  damaged_ |= status != MMDB_SUCCESS && status != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR;
  return status == MMDB_SUCCESS && data.has_data;
}

std::string location_record::text(std::initializer_list<path> places) {
  for (auto where : places)
    if (MMDB_entry_data_s data{}; get(where, data) && data.type == MMDB_DATA_TYPE_UTF8_STRING && data.data_size > 0)
      return printable({data.utf8_string, std::min<size_t>(data.data_size, most_text)});
  return {};
}

std::optional<double> location_record::number(std::initializer_list<path> places) {
  for (auto where : places) {
    MMDB_entry_data_s data{};
    if (!get(where, data))
      continue;
    if (data.type == MMDB_DATA_TYPE_DOUBLE)
      return data.double_value;
    if (data.type == MMDB_DATA_TYPE_FLOAT)
      return data.float_value;
  }
  return std::nullopt;
}

std::string location_record::country() {
  auto code = text({{"country", "iso_code"}, {"country_code"}, {"country"}});
  return is_country_code(code) ? code : std::string{};
}

std::optional<place> location_record::coordinates() {
  const auto latitude = number({{"location", "latitude"}, {"latitude"}});
  const auto longitude = number({{"location", "longitude"}, {"longitude"}});
  if (!latitude || !longitude || !(*latitude >= -90 && *latitude <= 90) || !(*longitude >= -180 && *longitude <= 180))
    return std::nullopt;
  return place{*latitude, *longitude};
}

location location_record::read() {
  location found;
  found.country = country();
  found.city = text({{"city", "names", "en"}, {"city"}});
  found.at = coordinates();
  if (!found.at) {
    found.at = country_centre(found.country);
    found.at_country = found.at.has_value();
  }
  return found;
}

bool location_record::is_whole() {
  damaged_ = false;
  read();
  return !damaged_;
}

} // namespace gnomon
