#include "actors/node/token_table.hpp"

#include "runtime/base/id_rules.hpp"

#include <algorithm>

namespace gnomon {

bool token_table::merge(const token_record& record) {
  auto [known, is_new] = records_.emplace(record.id, record);
  if (is_new || known->second.revoked || !record.revoked)
    return is_new;
  known->second.revoked = true;
  return true;
}

const token_record* token_table::in_force(std::string_view id, timestamp now) const {
  const auto found = records_.find(id);
  if (found == records_.end() || found->second.revoked || found->second.expires <= now)
    return nullptr;
  return &found->second;
}

std::vector<token_record> token_table::in_force(timestamp now) const {
  std::vector<token_record> found;
  for (const auto& [id, record] : records_)
    if (in_force(id, now))
      found.push_back(record);
  return found;
}

std::vector<token_record> token_table::named(const std::string& name, timestamp now) const {
  auto found = in_force(now);
  std::erase_if(found, [&](const token_record& record) { return record.name != name; });
  return found;
}

std::vector<token_record> token_table::all() const {
  std::vector<token_record> found;
  for (const auto& [id, record] : records_)
    found.push_back(record);
  return found;
}

std::vector<token_record> token_table::beyond(const std::vector<token_record>& known) const {
  token_table theirs;
  for (const auto& record : known)
    theirs.merge(record);
  std::vector<token_record> news;
  for (const auto& [id, record] : records_)
    if (theirs.merge(record))
      news.push_back(record);
  return news;
}

std::string why_no_token(const token_record& record) {
  if (!is_plain_name(record.name))
    return "a token's name has 1 to 64 letters, digits, '-', '_' and '.'";
  if (record.may == role::none || record.may > role::admin)
    return "a token has one of the roles read, write and admin";
  if (record.types.size() > 100 || !std::all_of(record.types.begin(), record.types.end(), &is_data_type))
    return "a token is for at most 100 data types, each without blank, comma and slash";
  if (record.id.empty() || record.id.size() > 64 || record.hash.empty() || record.hash.size() > 256)
    return "a token has an id and a hash of its secret";
  return {};
}

timestamp wall_time() {
  return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

} // namespace gnomon
