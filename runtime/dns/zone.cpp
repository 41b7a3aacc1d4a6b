#include "runtime/dns/zone.hpp"

#include "gnomon/error.hpp"
#include "runtime/base/freed_by.hpp"
#include "runtime/base/label.hpp"
#include "runtime/dns/query.hpp"

#include <ldns/ldns.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

namespace gnomon::dns {

namespace {

using owned_record = std::unique_ptr<ldns_rr, freed_by<ldns_rr_free>>;
using owned_buffer = std::unique_ptr<ldns_buffer, freed_by<ldns_buffer_free>>;
using owned_file = std::unique_ptr<FILE, freed_by<fclose>>;

[[noreturn]] void refuse(std::string_view zone_name, const std::string& what) {
  throw failure(ec::bad_config, fmt::format("zone {}: {}", zone_name, what));
}

std::string wire_of(const ldns_rdf* name) {
  std::string bytes(reinterpret_cast<const char*>(ldns_rdf_data(name)), ldns_rdf_size(name));
  for (auto& c : bytes)
    c = static_cast<char>(lower(static_cast<uint8_t>(c)));
  return bytes;
}

std::string data_of(const ldns_rr& record) {
  const owned_buffer buffer(ldns_buffer_new(LDNS_MAX_PACKETLEN));
  if (!buffer || ldns_rr_rdata2buffer_wire(buffer.get(), &record) != LDNS_STATUS_OK)
    throw failure(ec::internal, "ldns could not write a record that it had read");
  return {reinterpret_cast<const char*>(ldns_buffer_begin(buffer.get())), ldns_buffer_position(buffer.get())};
}

// What ldns carries from one record to the next. It replaces the names itself, so they have no owner of their own.
struct reading_state {
  explicit reading_state(std::string_view zone_name) : origin(ldns_dname_new_frm_str(std::string(zone_name).c_str())) {}
  reading_state(const reading_state&) = delete;
  reading_state& operator=(const reading_state&) = delete;
  ~reading_state() {
    ldns_rdf_deep_free(origin);
    ldns_rdf_deep_free(previous);
  }
  ldns_rdf* origin;
  ldns_rdf* previous = nullptr;
  uint32_t ttl = 3600;
  int line = 0;
};

// Calls `take(line, record)` for each record of the text.
template <class F>
void each_record(std::string_view zone_name, const std::string& text, F take) {
  const owned_file file(fmemopen(const_cast<char*>(text.data()), text.size(), "r"));
  reading_state at(zone_name);
  auto status = LDNS_STATUS_OK;
  while (file && feof(file.get()) == 0) {
    ldns_rr* record = nullptr;
    status = ldns_rr_new_frm_fp_l(&record, file.get(), &at.ttl, &at.origin, &at.previous, &at.line);
    const owned_record owner(record);
    if (status == LDNS_STATUS_OK)
      take(at.line, *record);
    else if (status != LDNS_STATUS_SYNTAX_EMPTY && status != LDNS_STATUS_SYNTAX_TTL
             && status != LDNS_STATUS_SYNTAX_ORIGIN)
      break;
    status = LDNS_STATUS_OK;
  }
  if (status != LDNS_STATUS_OK)
    refuse(zone_name, fmt::format("line {}: {}", at.line, ldns_get_errorstr_by_id(status)));
}

bool is_inside(const wire_name& name, const wire_name& zone_name) {
  for (size_t at = 0; at + zone_name.size() <= name.size(); at += 1 + static_cast<uint8_t>(name[at]))
    if (name.size() - at == zone_name.size())
      return name.compare(at, name.npos, zone_name) == 0;
  return false;
}

std::string_view first_label(const wire_name& name) {
  return std::string_view(name).substr(1, static_cast<uint8_t>(name[0]));
}

// What is wrong with a record of that owner and type; empty when nothing is.
std::string_view fault_of(const wire_name& owner, uint16_t rr_type, const wire_name& zone_name) {
  const auto apex = owner == zone_name;
  if (!is_inside(owner, zone_name))
    return "the name lies outside the zone";
  if (owner[0] == 1 && owner[1] == '*')
    return "wildcards are not supported";
  if (rr_type == type::soa && !apex)
    return "a SOA belongs to the zone's own name";
  if (rr_type == type::ns && !apex)
    return "delegations are not supported; delegate from the zone above";
  if (apex && (rr_type == type::a || rr_type == type::aaaa || rr_type == type::svcb || rr_type == type::https))
    return "the addresses of the zone's own name are those of the nearest region; take them out of the file";
  if (rr_type == type::cname && apex)
    return "the zone's own name cannot be an alias";
  if (parse_label(first_label(owner)) && owner.size() == zone_name.size() + 1 + label_text_size)
    return "names of 32 digits of base32hex are those of items";
  constexpr std::array<uint16_t, 10> special{39, 43, 46, 47, 48, 50, 51, 59, 60, 41};
  if (std::find(special.begin(), special.end(), rr_type) != special.end() || (rr_type >= 128 && rr_type < 256))
    return "this type is not supported";
  return {};
}

void add(zone::records& to, uint16_t rr_type, uint32_t ttl, std::string value) {
  const auto found = std::find_if(to.begin(), to.end(), [=](const auto& set) { return set.type == rr_type; });
  auto& set = found != to.end() ? *found : to.emplace_back(record_set{.type = rr_type, .ttl = ttl, .values = {}});
  set.ttl = std::min(set.ttl, ttl); // one set has one TTL (RFC 2181, section 5.2)
  if (std::find(set.values.begin(), set.values.end(), value) == set.values.end())
    set.values.push_back(std::move(value));
}

const record_set* find_type(const zone::records& in, uint16_t wanted) {
  const auto found = std::find_if(in.begin(), in.end(), [=](const auto& set) { return set.type == wanted; });
  return found != in.end() ? &*found : nullptr;
}

} // namespace

const zone::records* zone::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found != names_.end() ? &found->second : nullptr;
}

zone read_zone(std::string_view name, const std::string& text) {
  zone made;
  const auto own_name = parse_name(name);
  if (!own_name || own_name->size() == 1)
    refuse(name, "this is no domain name");
  made.name_ = *own_name;
  each_record(name, text, [&](int line, const ldns_rr& record) {
    const auto owner = wire_of(ldns_rr_owner(&record));
    const auto rr_type = static_cast<uint16_t>(ldns_rr_get_type(&record));
    auto fault = fault_of(owner, rr_type, made.name_);
    if (ldns_rr_get_class(&record) != LDNS_RR_CLASS_IN)
      fault = "only class IN is supported";
    if (!fault.empty())
      refuse(name, fmt::format("line {}: {}: {}", line, to_text(owner), fault));
    add(made.names_[owner], rr_type, ldns_rr_ttl(&record), data_of(record));
    for (auto above = owner; above != made.name_; above.erase(0, 1 + static_cast<uint8_t>(above[0])))
      made.names_[above];
  });
  for (const auto& [owner, sets] : made.names_)
    if (const auto* alias = find_type(sets, type::cname);
        alias != nullptr && (sets.size() > 1 || alias->values.size() > 1))
      refuse(name, fmt::format("{}: an alias (CNAME) has no other records", to_text(owner)));
  const auto& own = made.names_[made.name_];
  made.soa_ = find_type(own, type::soa);
  if (made.soa_ == nullptr || made.soa_->values.size() != 1 || find_type(own, type::ns) == nullptr)
    refuse(name, "the zone needs one SOA and at least one NS record of its own name");
  const auto& data = made.soa_->values.front();
  uint32_t minimum = 0;
  for (const char c : data.substr(data.size() - 4))
    minimum = minimum << 8 | static_cast<uint8_t>(c);
  made.negative_ttl_ = std::min(minimum, made.soa_->ttl);
  return made;
}

zone read_zone_file(std::string_view name, const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || file.bad())
    refuse(name, fmt::format("the file {} cannot be read", path));
  return read_zone(name, text.str());
}

// Numbers for secondaries matter little, for there are none: each node answers for itself.
std::string plain_zone_text(std::string_view name, const std::vector<std::string>& regions) {
  constexpr size_t most = 4;
  const auto origin = name.ends_with('.') ? std::string(name) : std::string(name) + '.';
  const auto first = regions.empty() ? "ns." + origin : regions.front() + '.' + origin;
  auto text = fmt::format("{0} 3600 IN SOA {1} hostmaster.{0} 1 3600 600 604800 10\n", origin, first);
  for (size_t i = 0; i < std::min(regions.size(), most); ++i)
    text += fmt::format("{0} 3600 IN NS {1}.{0}\n", origin, regions[i]);
  return text;
}

} // namespace gnomon::dns
