#include "runtime/dns/region_table.hpp"

#include <algorithm>

namespace gnomon::dns {

namespace {

bool is_host_name(std::string_view name) {
  constexpr size_t most = 63;
  return !name.empty() && name.size() <= most && name.front() != '-' && name.back() != '-'
         && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == name.npos;
}

template <class F>
region_set those(const std::vector<region>& regions, F chosen) {
  region_set set = 0;
  for (size_t i = 0; i < std::min(regions.size(), max_regions); ++i)
    if (is_host_name(regions[i].name) && chosen(regions[i]))
      set |= set_of(static_cast<region_id>(i));
  return set;
}

} // namespace

region_set region_table::all() const {
  return those(regions, [](const region&) { return true; });
}

region_set region_table::live() const {
  return those(regions, [](const region& r) { return r.live; });
}

region_set region_table::last_resort() const {
  const auto marked = those(regions, [](const region& r) { return r.last_resort; });
  return marked != 0 ? marked : all();
}

bool region_table::add_address(region& where, const std::string& text) {
  const auto parsed = ip_address::parse(text);
  if (!parsed)
    return false;
  const auto bytes = parsed->bytes();
  if (parsed->is_v4())
    std::copy(bytes.begin(), bytes.end(), where.ipv4.emplace_back().begin());
  else
    std::copy(bytes.begin(), bytes.end(), where.ipv6.emplace_back().begin());
  return true;
}

} // namespace gnomon::dns
