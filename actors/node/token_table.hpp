#pragma once

#include "actors/messages/access_messages.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gnomon {

/// The tokens that a cluster knows, revoked ones included. It only grows, and merging in any order gives the same
/// table.
class token_table {
public:
  static constexpr size_t most = 10'000;

  /// True when the record is news: its id was not known, or it was not known to be revoked.
  bool merge(const token_record& record);
  /// The record, when it is neither revoked nor expired; else null.
  const token_record* in_force(std::string_view id, timestamp now) const;
  /// Those in force.
  std::vector<token_record> in_force(timestamp now) const;
  /// Those in force under that name; there may be several, when it was given at two nodes at once.
  std::vector<token_record> named(const std::string& name, timestamp now) const;
  std::vector<token_record> all() const;
  /// Those that are not in `known`, or not as news there.
  std::vector<token_record> beyond(const std::vector<token_record>& known) const;
  size_t size() const {
    return records_.size();
  }

private:
  std::map<std::string, token_record, std::less<>> records_; // by id
};

/// Why a record cannot be one of a token, or nothing.
std::string why_no_token(const token_record& record);

/// Certificates and tokens end by the clock of the machine, whatever the node's own clock says in a replay.
timestamp wall_time();

} // namespace gnomon
